using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka;

/// <summary>What the Kafka log and its clients write to the log of the server.</summary>
internal static partial class KafkaLogMessages
{
    public static void LogClient(this ILogger logger, LogMessage message)
    {
        var level = message.Level switch
        {
            <= SyslogLevel.Warning => LogLevel.Warning,
            SyslogLevel.Notice or SyslogLevel.Info => LogLevel.Information,
            _ => LogLevel.Debug,
        };

        // Each client tells of each broken connection; the health check tells it once.
        logger.LogClient(message.Facility is "FAIL" or "ERROR" ? LogLevel.Debug : level, message.Name, message.Facility, message.Message);
    }

    [LoggerMessage(Message = "{Client}: {Facility}: {Text}")]
    private static partial void LogClient(this ILogger logger, LogLevel level, string client, string facility, string text);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka at {Servers} is out of reach ({Reason}): publishes wait, nothing is acknowledged")]
    public static partial void LogOutOfReach(this ILogger logger, string servers, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Kafka at {Servers} is within reach again")]
    public static partial void LogWithinReach(this ILogger logger, string servers);

    [LoggerMessage(Level = LogLevel.Information, Message = "Created topic {Topic} with {Partitions} partitions")]
    public static partial void LogCreated(this ILogger logger, string topic, int partitions);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Topic {Topic} takes records of {Bytes} bytes at most (max.message.bytes), and Log:Kafka:MaximumRecordBytes is {Wanted}: larger ones are refused")]
    public static partial void LogSmallRecords(this ILogger logger, string topic, int bytes, int wanted);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting for Kafka at {Servers} to check the topics: {Reason}")]
    public static partial void LogWaiting(this ILogger logger, string servers, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Reading from Kafka failed: {Reason}")]
    public static partial void LogReadFailed(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The Kafka producer failed for good ({Reason}): nothing is acknowledged any more, this process needs a restart")]
    public static partial void LogProducerFailed(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A transaction of owner {Owner} is tried again: {Reason}")]
    public static partial void LogTransactionRetried(this ILogger logger, string owner, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Owner {Owner} can write no more: {Reason}")]
    public static partial void LogTransactionRefused(this ILogger logger, string owner, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last transaction of owner {Owner} is still open on {Partitions}: it is {Outcome} there (Kafka's state: {State})")]
    public static partial void LogTransactionLeft(this ILogger logger, string owner, string partitions, string outcome, string state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What owner {Owner} may have left open is not known of partitions that have no leader: {Partitions}")]
    public static partial void LogUnseen(this ILogger logger, string owner, string partitions);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A Kafka client that is not used any more could not be closed")]
    public static partial void LogClientNotClosed(this ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Log:Kafka:{Setting} is for the Confluent client, which is used therefore for all records")]
    public static partial void LogConfluentChosen(this ILogger logger, string setting);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition} holds records that are compressed or of an old format: the Confluent client reads it from now on")]
    public static partial void LogHandedOver(this ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The connection to Kafka broker {Broker} failed: {Reason}")]
    public static partial void LogConnectionFailed(this ILogger logger, int broker, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Records for {Partition} are sent again: {Error}")]
    public static partial void LogAppendRetried(this ILogger logger, string partition, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka does not know the last records of this process on {Partition} any more ({Error}): it lost records, or a retention removed them")]
    public static partial void LogSequenceLost(this ILogger logger, string partition, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outcome of an append was not taken by its caller")]
    public static partial void LogCompletionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "A fault of the Kafka client, which goes on with a new connection to {Broker}")]
    public static partial void LogWireFault(this ILogger logger, Exception exception, string broker);
}
