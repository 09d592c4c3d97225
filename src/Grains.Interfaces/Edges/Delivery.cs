namespace OrleansMqtt;

/// <summary>One packet for one connection: a message, or the PUBREL of one.</summary>
[GenerateSerializer, Immutable, Alias("delivery")]
public readonly struct Delivery(long connectionId, int messageIndex, ushort packetId, byte qos, bool isDuplicate, int identifierSet = 0)
{
    /// <summary>What <see cref="MessageIndex"/> is in a PUBREL.</summary>
    public const int Release = -1;

    /// <summary>From <see cref="ConnectRequest.ConnectionId"/>.</summary>
    [Id(0)] public long ConnectionId { get; } = connectionId;

    /// <summary>The index in <see cref="DeliveryBatch.Messages"/>; <see cref="Release"/> for a PUBREL.</summary>
    [Id(1)] public int MessageIndex { get; } = messageIndex;

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    [Id(2)] public ushort PacketId { get; } = packetId;

    /// <summary>The QoS to send it with; the reason code of a PUBREL.</summary>
    [Id(3)] public byte QoS { get; } = qos;

    /// <summary>The DUP flag.</summary>
    [Id(4)] public bool IsDuplicate { get; } = isDuplicate;

    /// <summary>The place, from 1, in <see cref="DeliveryBatch.IdentifierSets"/>; 0 when the message is sent without subscription identifiers.</summary>
    [Id(5)] public int IdentifierSet { get; } = identifierSet;

    /// <summary>Whether it is a PUBREL.</summary>
    public bool IsRelease => MessageIndex == Release;
}
