using System.Runtime.InteropServices;
using Confluent.Kafka;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Turns records into the client's messages and back.</summary>
internal static class KafkaRecords
{
    private static readonly LogHeader[] NoHeaders = [];

    /// <summary>A record that is not stored: refused when Kafka never takes it, while it takes others.</summary>
    public static AppendResult ToFailure(Error error) =>
        error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidRecord or ErrorCode.PolicyViolation or ErrorCode.InvalidTimestamp
            ? AppendResult.Refused(error.Reason)
            : AppendResult.Failed(error.Reason);

    public static Message<byte[]?, byte[]?> ToMessage(in LogRecord record)
    {
        Message<byte[]?, byte[]?> message = new() { Key = ToArray(record.Key), Value = record.Value is { } value ? ToArray(value) : null };
        if (record.TimestampMilliseconds != 0)
        {
            message.Timestamp = new(record.TimestampMilliseconds, TimestampType.CreateTime);
        }

        if (record.Headers is { Length: > 0 } headers)
        {
            message.Headers = [];
            foreach (var header in headers)
            {
                message.Headers.Add(header.Name, header.Value is { } headerValue ? ToArray(headerValue) : null);
            }
        }

        return message;
    }

    public static StoredRecord ToRecord(ConsumeResult<byte[]?, byte[]?> result) => new()
    {
        Offset = result.Offset.Value,
        TimestampMilliseconds = result.Message.Timestamp.UnixTimestampMs,
        Key = result.Message.Key is { } key ? key.AsMemory() : (ReadOnlyMemory<byte>?)null,
        Value = result.Message.Value is { } value ? value.AsMemory() : (ReadOnlyMemory<byte>?)null,
        Headers = ToHeaders(result.Message.Headers),
    };

    /// <summary>What a record takes in memory, roughly.</summary>
    public static int SizeOf(StoredRecord record) => (record.Key?.Length ?? 0) + (record.Value?.Length ?? 0) + 128;

    private static LogHeader[] ToHeaders(Headers? headers)
    {
        if (headers is null || headers.Count == 0)
        {
            return NoHeaders;
        }

        var result = new LogHeader[headers.Count];
        for (var i = 0; i < result.Length; i++)
        {
            var value = headers[i].GetValueBytes();
            result[i] = new(headers[i].Key, value is null ? (ReadOnlyMemory<byte>?)null : value.AsMemory());
        }

        return result;
    }

    private static byte[] ToArray(ReadOnlyMemory<byte> memory) =>
        MemoryMarshal.TryGetArray(memory, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length ? segment.Array : memory.ToArray();
}
