namespace OrleansMqtt;

/// <summary>The numbers of the <c>$SYS</c> topics: of one process, or of the whole cluster. Counters count from the start.</summary>
[GenerateSerializer, Immutable, Alias("server-statistics")]
public sealed record ServerStatistics
{
    /// <summary>When the process started, in milliseconds of Unix time; of a cluster, the first that is still there.</summary>
    [Id(0)] public long StartedAt { get; init; }

    /// <summary>Clients that are connected.</summary>
    [Id(1)] public long Connected { get; init; }

    /// <summary>The most clients that were connected at one time.</summary>
    [Id(2)] public long MaximumConnected { get; init; }

    /// <summary>Sessions, with a connection or without.</summary>
    [Id(3)] public long Sessions { get; init; }

    /// <summary>Subscriptions of all sessions.</summary>
    [Id(4)] public long Subscriptions { get; init; }

    /// <summary>Groups of shared subscriptions.</summary>
    [Id(5)] public long SharedSubscriptions { get; init; }

    /// <summary>Topics with a retained message.</summary>
    [Id(6)] public long Retained { get; init; }

    /// <summary>Messages that wait for clients, each as often as it waits.</summary>
    [Id(7)] public long Waiting { get; init; }

    /// <summary>Sessions that have expired. Counts, as do all that follow.</summary>
    [Id(8)] public long Expired { get; init; }

    /// <summary>Packets received.</summary>
    [Id(9)] public long PacketsReceived { get; init; }

    /// <summary>Packets sent.</summary>
    [Id(10)] public long PacketsSent { get; init; }

    /// <summary>Bytes received.</summary>
    [Id(11)] public long BytesReceived { get; init; }

    /// <summary>Bytes sent.</summary>
    [Id(12)] public long BytesSent { get; init; }

    /// <summary>PUBLISH packets received.</summary>
    [Id(13)] public long PublishesReceived { get; init; }

    /// <summary>PUBLISH packets sent.</summary>
    [Id(14)] public long PublishesSent { get; init; }

    /// <summary>Messages that were not delivered, because a bound was reached.</summary>
    [Id(15)] public long PublishesDropped { get; init; }

    /// <summary>Bytes of payload received.</summary>
    [Id(16)] public long PayloadReceived { get; init; }

    /// <summary>Bytes of payload sent.</summary>
    [Id(17)] public long PayloadSent { get; init; }

    /// <summary>The numbers of two processes together, except <see cref="MaximumConnected"/>, which has to be told.</summary>
    public ServerStatistics Plus(ServerStatistics other) => PlusCounters(other) with
    {
        StartedAt = Math.Min(StartedAt, other.StartedAt),
        Connected = Connected + other.Connected,
        Sessions = Sessions + other.Sessions,
        Subscriptions = Subscriptions + other.Subscriptions,
        SharedSubscriptions = SharedSubscriptions + other.SharedSubscriptions,
        Retained = Retained + other.Retained,
        Waiting = Waiting + other.Waiting,
    };

    /// <summary>With what another process, which is gone, has counted.</summary>
    public ServerStatistics PlusCounters(ServerStatistics other) => this with
    {
        Expired = Expired + other.Expired,
        PacketsReceived = PacketsReceived + other.PacketsReceived,
        PacketsSent = PacketsSent + other.PacketsSent,
        BytesReceived = BytesReceived + other.BytesReceived,
        BytesSent = BytesSent + other.BytesSent,
        PublishesReceived = PublishesReceived + other.PublishesReceived,
        PublishesSent = PublishesSent + other.PublishesSent,
        PublishesDropped = PublishesDropped + other.PublishesDropped,
        PayloadReceived = PayloadReceived + other.PayloadReceived,
        PayloadSent = PayloadSent + other.PayloadSent,
    };
}
