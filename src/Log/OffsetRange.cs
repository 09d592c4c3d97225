namespace OrleansMqtt.Log;

/// <summary>The first stored offset of a partition and its end, the offset that the next record will have at least.</summary>
public readonly record struct OffsetRange(long Start, long End);
