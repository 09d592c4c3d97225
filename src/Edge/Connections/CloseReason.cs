using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

/// <summary>Why a connection ends.</summary>
/// <param name="Cause">For the session.</param>
/// <param name="Code">What an MQTT 5 client is told; null when nothing is sent.</param>
/// <param name="Text">For the log, and for the client, as Reason String.</param>
internal sealed record CloseReason(DisconnectCause Cause, ReasonCode? Code, string Text)
{
    public static CloseReason TakenOver { get; } = new(DisconnectCause.ByServer, ReasonCode.SessionTakenOver, "Another connection uses the client identifier.");

    public static CloseReason Stopping { get; } = new(DisconnectCause.ServerStopping, ReasonCode.ServerShuttingDown, "The server is stopping.");

    public static CloseReason KeepAliveTimeout { get; } = new(DisconnectCause.ConnectionLost, ReasonCode.KeepAliveTimeout, "Nothing was received within one and a half times the Keep Alive.");

    public static CloseReason ConnectTimeout { get; } = new(DisconnectCause.ByServer, null, "No CONNECT was received in time.");

    public static CloseReason AuthenticationTimeout { get; } = new(DisconnectCause.ByServer, ReasonCode.NotAuthorized, "The authentication was not completed in time.");

    public static CloseReason ByClient { get; } = new(DisconnectCause.Normal, null, "The client disconnected.");

    /// <summary>The server that an MQTT 5 client is sent to (Server Reference); null when it is sent nowhere.</summary>
    public string? ServerReference { get; init; }

    /// <summary>The Session Expiry Interval of the client's DISCONNECT; null when it named none.</summary>
    public uint? SessionExpirySeconds { get; init; }

    public DisconnectNotice ToNotice() => new(Cause, SessionExpirySeconds);

    /// <summary>Whether the client ended it by DISCONNECT.</summary>
    public bool IsByClient => Cause is DisconnectCause.Normal or DisconnectCause.ByClientWithReason;

    /// <summary>For the counter of closed connections.</summary>
    public string Tag => Code?.ToString() ?? Cause.ToString();

    /// <summary>Whether the operator should see it: the client did something that is refused.</summary>
    public bool IsWarning => Cause == DisconnectCause.ByServer && Code is not (null or ReasonCode.SessionTakenOver or ReasonCode.UseAnotherServer or ReasonCode.ServerMoved);

    public static CloseReason Frozen { get; } = new(DisconnectCause.ConnectionLost, ReasonCode.ServerUnavailable, "The server did not run for a while.");

    /// <summary>Sends the client to another server of the cluster, for now.</summary>
    public static CloseReason Redirected(DisconnectCause cause, string address) =>
        new(cause, ReasonCode.UseAnotherServer, "Another server of the cluster serves this client.") { ServerReference = address };

    public static CloseReason Server(ReasonCode code, string text) => new(DisconnectCause.ByServer, code, text);

    public static CloseReason Lost(string text) => new(DisconnectCause.ConnectionLost, null, text);
}
