namespace OrleansMqtt.Log;

/// <summary>What a topic must be like.</summary>
/// <param name="Name">The topic's name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>, at most 249.</param>
/// <param name="Partitions">Its partitions.</param>
/// <param name="IsCompacted">Whether the newest record of each key is kept for good (<c>cleanup.policy=compact</c>), or all records for a time (<c>delete</c>).</param>
/// <param name="AcceptAnyPartitionCount">Whether a topic that exists may have another number of partitions (topics of routes belong to others too).</param>
public sealed record TopicSpecification(string Name, int Partitions, bool IsCompacted, bool AcceptAnyPartitionCount = false)
{
    /// <summary>The greatest length of a topic's name.</summary>
    public const int MaximumNameLength = 249;

    /// <summary>Whether Kafka allows a topic of that name.</summary>
    public static bool IsValidName(string name) =>
        name.Length is > 0 and <= MaximumNameLength && name is not ("." or "..") && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
