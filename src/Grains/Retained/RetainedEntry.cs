namespace OrleansMqtt.Grains;

/// <summary>The retained message of a topic by its place on the log.</summary>
/// <param name="Offset">Its offset in the partition.</param>
/// <param name="TimestampMilliseconds">When it was published.</param>
/// <param name="IsForeign">Whether another producer wrote it, to the retained topic alone.</param>
internal readonly record struct RetainedEntry(long Offset, long TimestampMilliseconds, bool IsForeign);
