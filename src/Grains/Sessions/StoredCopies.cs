using System.Buffers;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Reads back, from a partition of the sessions topic, retained messages that sessions had in flight.</summary>
internal sealed partial class StoredCopies(IMessageLog log, TopicPartitionId partition, ILogger logger)
{
    private const int StretchRecords = 256;

    /// <summary>Reads one; null when it cannot be read, which is told and counted. Waits while the log is out of reach.</summary>
    public async Task<MqttMessage?> ReadAsync(string clientId, ushort packetId, StoredCopy stored)
    {
        ArrayBufferWriter<byte> bytes = new();
        try
        {
            var part = 0;
            for (var position = stored.From; position < stored.To;)
            {
                var from = position;
                var batch = await log.ReadOnAsync(partition, from, (int)Math.Min(stored.To - from, StretchRecords), exception => LogReadFailed(exception, partition, from));
                position = batch.To;
                foreach (var record in batch.Records)
                {
                    if (record is { Key: { } key, Value: { } value } && key.Span.SequenceEqual(SessionKeys.Copy(clientId, packetId, part)))
                    {
                        bytes.Write(value.Span);
                        part++;
                    }
                }
            }

            return part == stored.Parts ? MessageCopyRecord.Decode(bytes.WrittenSpan) : throw new InvalidDataException($"it has {part} of {stored.Parts} parts");
        }
        catch (Exception exception) when (exception is InvalidDataException or OverflowException or IndexOutOfRangeException or ArgumentException or OffsetOutOfRangeException)
        {
            GrainInstruments.Unreadable.Add(1);
            LogUnreadable(partition, SessionKeys.Describe(SessionKeys.Copy(clientId, packetId, 0)), exception.Message);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Partition} holds a record of key {Key} that cannot be read: {Reason}")]
    private partial void LogUnreadable(TopicPartitionId partition, string key, string reason);

    [LoggerMessage(LogLevel.Warning, "{Partition} could not be read at {Offset}; it is tried again")]
    private partial void LogReadFailed(Exception exception, TopicPartitionId partition, long offset);
}
