namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>How the connection of a client with a will ends.</summary>
internal enum WillEnd
{
    /// <summary>With the server.</summary>
    Killed,

    /// <summary>While it connects, with the server.</summary>
    Racing,

    /// <summary>Its socket is closed before.</summary>
    Dropped,

    /// <summary>By its DISCONNECT before: it has no will any more.</summary>
    Disconnected,
}
