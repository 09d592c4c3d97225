namespace OrleansMqtt.Log.Embedded;

internal sealed record EmbeddedTopic(string Name, bool IsCompacted, EmbeddedPartition[] Partitions);
