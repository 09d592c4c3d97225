namespace OrleansMqtt.LoadGenerator;

/// <summary>Who publishes to whom.</summary>
internal enum Scenario
{
    /// <summary>Each publisher has its own topic and its own subscriber.</summary>
    P2p,

    /// <summary>Each publisher has its own topic; all subscribers share one wildcard filter.</summary>
    FanIn,

    /// <summary>All publish to one topic; all subscribers subscribe to it.</summary>
    FanOut,

    /// <summary>Nobody publishes: connections are opened and held.</summary>
    Connections,

    /// <summary>Nobody subscribes.</summary>
    Publish,

    /// <summary>As <see cref="Publish"/>, and each acknowledged message is written to a file.</summary>
    Ledger,

    /// <summary>Subscribers with sessions that last are away while messages for them are published, and come back all at once.</summary>
    Offline,

    /// <summary>Retained messages of many topics are published, and subscriptions find them.</summary>
    Retained,
}
