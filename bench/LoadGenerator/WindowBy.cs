namespace OrleansMqtt.LoadGenerator;

/// <summary>What closes the loop of a publisher that has no rate.</summary>
internal enum WindowBy
{
    /// <summary>A message leaves the window when its publish is acknowledged.</summary>
    Acknowledgement,

    /// <summary>A message leaves the window when its subscribers have it (on average): the throughput is one that they keep up with.</summary>
    Delivery,
}
