using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Logs and counts what a consumer did not take. Nothing is skipped: the cursor hands out the same batch again.</summary>
internal sealed partial class LogStreamFailureHandler(LogStreamMetrics metrics, ILogger<LogStreamFailureHandler> logger) : IStreamFailureHandler
{
    public bool ShouldFaultSubsriptionOnError => false;

    public Task OnDeliveryFailure(GuidId subscriptionId, string streamProviderName, StreamId streamIdentity, StreamSequenceToken? sequenceToken)
    {
        metrics.AddDeliveryFailure(streamProviderName);
        LogDeliveryFailure(streamProviderName, streamIdentity, sequenceToken);
        return Task.CompletedTask;
    }

    public Task OnSubscriptionFailure(GuidId subscriptionId, string streamProviderName, StreamId streamIdentity, StreamSequenceToken? sequenceToken)
    {
        metrics.AddDeliveryFailure(streamProviderName);
        LogSubscriptionFailure(streamProviderName, streamIdentity, sequenceToken);
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Provider}: the consumer of {Stream} did not take the batch that ends at {Token}; it gets it again.")]
    private partial void LogDeliveryFailure(string provider, StreamId stream, StreamSequenceToken? token);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Provider}: the consumer of {Stream} could not be asked where it wants to start ({Token}).")]
    private partial void LogSubscriptionFailure(string provider, StreamId stream, StreamSequenceToken? token);
}
