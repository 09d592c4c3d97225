using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Diagnostics;

/// <summary>The log lines of the edge.</summary>
internal static partial class EdgeLog
{
    [LoggerMessage(1, LogLevel.Information, "Listening for {Protocols} on {EndPoint}")]
    public static partial void Listening(this ILogger logger, string protocols, string endPoint);

    [LoggerMessage(2, LogLevel.Debug, "Client '{ClientId}' connected with MQTT {Version} (connection {ConnectionId})")]
    public static partial void ClientConnected(this ILogger logger, string clientId, string version, long connectionId);

    [LoggerMessage(3, LogLevel.Debug, "Client '{ClientId}' is gone (connection {ConnectionId}): {Reason}")]
    public static partial void ClientGone(this ILogger logger, string clientId, long connectionId, string reason);

    [LoggerMessage(4, LogLevel.Warning, "Closed client '{ClientId}' at {EndPoint}: {Reason}")]
    public static partial void ClientClosed(this ILogger logger, string clientId, string endPoint, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Closed client '{ClientId}': its publish was not stored: {Error}")]
    public static partial void PublishFailed(this ILogger logger, string clientId, string error);

    [LoggerMessage(17, LogLevel.Warning, "A publish of client '{ClientId}' is refused, which it is told, as of others that follow: {Error}")]
    public static partial void PublishRefused(this ILogger logger, string clientId, string error);

    [LoggerMessage(6, LogLevel.Warning, "Session partition {Partition} takes no acknowledgements, trying again: {Error}")]
    public static partial void AcknowledgeFailed(this ILogger logger, int partition, string error);

    [LoggerMessage(7, LogLevel.Warning, "Refused a connection: Mqtt:MaximumConnections is {Maximum}")]
    public static partial void TooManyConnections(this ILogger logger, int maximum);

    [LoggerMessage(8, LogLevel.Error, "A connection ended unexpectedly")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "The session of client '{ClientId}' did not take the end of its connection: {Error}")]
    public static partial void DisconnectFailed(this ILogger logger, string clientId, string error);

    [LoggerMessage(15, LogLevel.Warning, "This process did not run for more than {Limit}: others may have taken its clients, so all connections are closed")]
    public static partial void Frozen(this ILogger logger, TimeSpan limit);

    [LoggerMessage(16, LogLevel.Information, "Stopping: {Count} clients are moved to other servers of the cluster")]
    public static partial void Draining(this ILogger logger, int count);

    [LoggerMessage(14, LogLevel.Information, "The session of client '{ClientId}' does not answer, trying again: {Error}")]
    public static partial void SessionCallFailed(this ILogger logger, string clientId, string error);

    [LoggerMessage(10, LogLevel.Warning, "Stopped with publishes still on their way to the log after {Timeout}")]
    public static partial void StoppedUnsettled(this ILogger logger, TimeSpan timeout);

    [LoggerMessage(11, LogLevel.Warning, "Session partition {Partition} takes no QoS 2 messages, trying again: {Error}")]
    public static partial void PublishQoS2Failed(this ILogger logger, int partition, string error);

    [LoggerMessage(12, LogLevel.Warning, "Retained partition {Partition} takes no messages, trying again: {Error}")]
    public static partial void PublishRetainedFailed(this ILogger logger, int partition, string error);

    [LoggerMessage(13, LogLevel.Error, "The authentication method {Method} failed for client '{ClientId}'")]
    public static partial void AuthenticationFailed(this ILogger logger, Exception exception, string method, string clientId);

    [LoggerMessage(14, LogLevel.Information, "The $SYS topics tell of this process only: {Error}")]
    public static partial void StatisticsIncomplete(this ILogger logger, string error);
}
