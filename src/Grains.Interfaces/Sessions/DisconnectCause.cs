namespace OrleansMqtt;

/// <summary>Why a connection ended.</summary>
public enum DisconnectCause
{
    /// <summary>The client sent DISCONNECT with reason code 0x00.</summary>
    Normal,

    /// <summary>The client sent DISCONNECT with another reason code.</summary>
    ByClientWithReason,

    /// <summary>The network connection was lost, or keep alive ran out.</summary>
    ConnectionLost,

    /// <summary>The server closed it because of what the client sent.</summary>
    ByServer,

    /// <summary>The server is stopping.</summary>
    ServerStopping,
}
