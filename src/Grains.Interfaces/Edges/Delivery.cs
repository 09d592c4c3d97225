namespace OrleansMqtt;

/// <summary>One packet for one connection: a message, or the PUBREL of one; or a mark between them.</summary>
[GenerateSerializer, Immutable, Alias("delivery")]
public readonly struct Delivery(
    long connectionId, int messageIndex, ushort packetId, byte qos, bool isDuplicate, int identifierSet = 0, bool isRetained = false, bool isPaced = false,
    int source = Delivery.NoSource)
{
    /// <summary>What <see cref="MessageIndex"/> is in a PUBREL.</summary>
    public const int Release = -1;

    /// <summary>What <see cref="MessageIndex"/> is in a mark: the edge answers <see cref="AcknowledgementKind.Written"/> when all before it is written to the client.</summary>
    public const int Mark = -2;

    /// <summary>What <see cref="Source"/> is where it is not known.</summary>
    public const int NoSource = int.MinValue;

    /// <summary>From <see cref="ConnectRequest.ConnectionId"/>.</summary>
    [Id(0)] public long ConnectionId { get; } = connectionId;

    /// <summary>The index in <see cref="DeliveryBatch.Messages"/>; <see cref="Release"/> for a PUBREL, <see cref="Mark"/> for a mark.</summary>
    [Id(1)] public int MessageIndex { get; } = messageIndex;

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    [Id(2)] public ushort PacketId { get; } = packetId;

    /// <summary>The QoS to send it with; the reason code of a PUBREL.</summary>
    [Id(3)] public byte QoS { get; } = qos;

    /// <summary>The DUP flag.</summary>
    [Id(4)] public bool IsDuplicate { get; } = isDuplicate;

    /// <summary>The place, from 1, in <see cref="DeliveryBatch.IdentifierSets"/>; 0 when the message is sent without subscription identifiers.</summary>
    [Id(5)] public int IdentifierSet { get; } = identifierSet;

    /// <summary>The RETAIN flag.</summary>
    [Id(6)] public bool IsRetained { get; } = isRetained;

    /// <summary>Whether its sender waits for a mark before it sends more, so that it need not be dropped when the client reads slowly.</summary>
    [Id(7)] public bool IsPaced { get; } = isPaced;

    /// <summary>
    /// The number of the partition that the message is from (<see cref="SourceOffset.Source"/>); its complement when the message was sent out of that partition's order, as retained
    /// messages and those of shared subscriptions are.
    /// </summary>
    [Id(8)] public int Source { get; } = source;
}
