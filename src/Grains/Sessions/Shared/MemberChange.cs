namespace OrleansMqtt.Grains;

/// <summary>What a member of a group is like now.</summary>
[GenerateSerializer, Immutable, Alias("member-change")]
internal sealed class MemberChange
{
    /// <summary>The name of the group: the whole filter of the shared subscription.</summary>
    [Id(0)] public required string Group { get; init; }

    [Id(1)] public required string ClientId { get; init; }

    /// <summary>Names the membership: another one of the same client has a greater number.</summary>
    [Id(2)] public required long Number { get; init; }

    /// <summary>Whether it has left, by UNSUBSCRIBE or because its session has ended. The rest means nothing then.</summary>
    [Id(3)] public bool HasLeft { get; init; }

    [Id(4)] public bool IsConnected { get; init; }

    /// <summary>Whether its session outlives its connection.</summary>
    [Id(5)] public bool IsDurable { get; init; }

    [Id(6)] public byte MaximumQoS { get; init; }

    [Id(7)] public int Slot { get; init; }

    [Id(8)] public ConnectionEpoch Epoch { get; init; }

    /// <summary>How many messages it may have at a time.</summary>
    [Id(9)] public int MaximumLeases { get; init; }

    /// <summary>And bytes of payload.</summary>
    [Id(10)] public long MaximumBytes { get; init; }
}
