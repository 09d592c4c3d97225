namespace OrleansMqtt.Log;

/// <summary>A partition of a topic.</summary>
[GenerateSerializer, Immutable, Alias("topic-partition-id")]
public readonly record struct TopicPartitionId([property: Id(0)] string Topic, [property: Id(1)] int Partition)
{
    /// <summary><c>topic/partition</c>.</summary>
    public override string ToString() => $"{Topic}/{Partition}";

    /// <summary>Reads what <see cref="ToString"/> writes. A topic's name cannot hold a slash.</summary>
    public static TopicPartitionId Parse(string text)
    {
        var slash = text.LastIndexOf('/');
        return new(text[..slash], int.Parse(text.AsSpan(slash + 1), System.Globalization.CultureInfo.InvariantCulture));
    }
}
