namespace OrleansMqtt.Streams.Kafka;

/// <summary>What a silo does in the cluster, and whether it goes on doing it, as it tells the others (<see cref="IMembers"/>).</summary>
[GenerateSerializer, Immutable, Alias("member-state")]
public sealed record MemberState
{
    /// <summary>Whether it owns partitions.</summary>
    [Id(0)] public bool OwnsPartitions { get; init; } = true;

    /// <summary>Whether it ends client connections.</summary>
    [Id(1)] public bool HasEdge { get; init; } = true;

    /// <summary>Where clients reach its edge: <c>host:port</c>, as it is sent to clients (Server Reference, MQTT 5, 4.11). Nobody is sent to an edge without it, as one is that does not listen yet.</summary>
    [Id(2)] public string? EdgeAddress { get; init; }

    /// <summary>Whether its edge has as many connections as it should.</summary>
    [Id(3)] public bool IsFull { get; init; }

    /// <summary>Whether it stops: it gives its partitions away, and sends its clients to others.</summary>
    [Id(4)] public bool IsLeaving { get; init; }

    /// <summary>Grows with each change, so that an older one that arrives late is not taken.</summary>
    [Id(5)] internal long Version { get; init; }
}
