using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>A topic that clients publish to, with what is made once for it.</summary>
internal sealed class PublishTopic(byte[] utf8, string name, ITopicGrain grain, int retainedPartition)
{
    /// <summary>The name as it came.</summary>
    public ReadOnlySpan<byte> Utf8 => utf8;

    public string Name => name;

    /// <summary>Whether it is one of the server's, which clients may not publish to.</summary>
    public bool IsSystem { get; } = TopicSyntax.IsSystem(name);

    public ITopicGrain Grain => grain;

    /// <summary>Where its retained message belongs.</summary>
    public int RetainedPartition => retainedPartition;
}
