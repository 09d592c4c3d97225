namespace OrleansMqtt.Grains;

/// <summary>What the owner of a sessions partition tells a client's grain (the key), without waiting for it inside a turn.</summary>
internal interface ISessionLifetimeGrain : IGrainWithStringKey
{
    /// <summary>The will or the end of the session may be due.</summary>
    ValueTask OnDue();

    /// <summary>The edge of the connection is gone, or the partition has a new owner that does not know the connection.</summary>
    ValueTask OnLost(ConnectionEpoch epoch);
}
