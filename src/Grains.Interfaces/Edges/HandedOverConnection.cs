namespace OrleansMqtt;

/// <summary>
/// A living connection, as its edge hands it to a new owner of its session partition: all that the owner needs to go on from exactly there, with nothing lost and nothing sent twice.
/// </summary>
[GenerateSerializer, Immutable, Alias("handed-over-connection")]
public sealed class HandedOverConnection
{
    /// <summary>The client identifier.</summary>
    [Id(0)] public required string ClientId { get; init; }

    /// <summary>From <see cref="ConnectResult.Epoch"/>; the connection keeps it. Null while the edge has asked for the session and has no answer.</summary>
    [Id(1)] public required ConnectionEpoch? Epoch { get; init; }

    /// <summary>From <see cref="ConnectRequest.ConnectionId"/>.</summary>
    [Id(2)] public required long ConnectionId { get; init; }

    /// <summary>From <see cref="ConnectRequest.ReceiveMaximum"/>.</summary>
    [Id(3)] public required ushort ReceiveMaximum { get; init; }

    /// <summary>The subscriptions of a session that is not stored; empty for a stored one, whose record has them.</summary>
    [Id(4)] public required HandedOverSubscription[] Subscriptions { get; init; }

    /// <summary>What was taken and is not acknowledged, in the order of sending. The acknowledgements that came are counted in it, whether the earlier owner has got them or not.</summary>
    [Id(5)] public required UnacknowledgedDelivery[] Unacknowledged { get; init; }

    /// <summary>The offset of the last message of QoS 1 or 2 that was taken from each source, in its order.</summary>
    [Id(6)] public required SourceOffset[] Taken { get; init; }

    /// <summary>The offset of the last message of QoS 0 that was taken from each source, in its order.</summary>
    [Id(7)] public required SourceOffset[] TakenQoS0 { get; init; }

    /// <summary>The packet identifier that was used last; 0 when none was.</summary>
    [Id(8)] public required ushort LastPacketId { get; init; }
}
