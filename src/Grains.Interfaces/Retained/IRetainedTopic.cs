namespace OrleansMqtt;

/// <summary>The partitions of the retained topic.</summary>
public interface IRetainedTopic
{
    /// <summary>The partition that the retained message of an MQTT topic, in UTF-8, is written to.</summary>
    int PartitionOf(ReadOnlySpan<byte> topic);
}
