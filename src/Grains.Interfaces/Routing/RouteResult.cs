namespace OrleansMqtt;

/// <summary>What a session partition did with a <see cref="RoutedBatch"/>.</summary>
public enum RouteResult
{
    /// <summary>Taken, or not needed.</summary>
    Accepted,

    /// <summary>Another generation of the target lives: its filters follow.</summary>
    StaleTarget,
}
