using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Transport;

/// <summary>The log lines of the transport.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Connections cannot be accepted now ({Error}); they wait")]
    public static partial void AcceptFailed(this ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection is aborted after an unexpected error")]
    public static partial void ConnectionAborted(this ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A thread of the transport has ended")]
    public static partial void LoopFailed(this ILogger logger, Exception exception);
}
