using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>What a session needs to know of a CONNECT.</summary>
[GenerateSerializer, Immutable, Alias("connect-request")]
public sealed class ConnectRequest
{
    /// <summary>The silo of the edge that holds the connection.</summary>
    [Id(0)] public required SiloAddress Edge { get; init; }

    /// <summary>The connection's number: never used twice by one edge process.</summary>
    [Id(1)] public required long ConnectionId { get; init; }

    /// <summary>Clean Start, or Clean Session of 3.1.1.</summary>
    [Id(2)] public required bool CleanStart { get; init; }

    /// <summary>The greatest number of QoS 1 and 2 messages the client wants unacknowledged; 65,535 when it named none.</summary>
    [Id(3)] public required ushort ReceiveMaximum { get; init; }

    /// <summary>
    /// Session Expiry Interval in seconds: 0 ends the session with the connection, <see cref="uint.MaxValue"/> never ends it (MQTT 5, 3.1.2.11.2). MQTT 3.1.1: 0 with Clean
    /// Session, <see cref="uint.MaxValue"/> without.
    /// </summary>
    [Id(4)] public uint SessionExpirySeconds { get; init; }

    /// <summary>The will; null when the client has none.</summary>
    [Id(5)] public WillMessage? Will { get; init; }
}
