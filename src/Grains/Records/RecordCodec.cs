using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Turns messages into records and back. Key: the MQTT topic, unless a header holds it; value: the payload, byte for byte; all else in headers (<see cref="RecordHeaders"/>),
/// user properties under their own names. A record of another producer, with none of these headers, is a message too.
/// </summary>
internal sealed class RecordCodec(IOptions<TopicsOptions> options)
{
    private static readonly LogHeader[] NoHeaders = [];
    private static readonly byte[] Retain = "1"u8.ToArray();
    private static readonly byte[] Text = "TEXT"u8.ToArray();
    private static readonly byte[] Binary = "BINARY"u8.ToArray();
    private readonly RecordHeaders _names = new(options.Value.HeaderPrefix);
    private readonly bool _filterHeaders = options.Value.FilterHeaders;

    // The value of the qos header is one of three byte arrays for good.
    private readonly LogHeader[] _qos =
    [
        new(options.Value.HeaderPrefix + "qos", "0"u8.ToArray()),
        new(options.Value.HeaderPrefix + "qos", "1"u8.ToArray()),
        new(options.Value.HeaderPrefix + "qos", "2"u8.ToArray()),
    ];

    /// <summary>The headers that all records of a topic have in common.</summary>
    /// <param name="topic">The topic name.</param>
    /// <param name="isKey">Whether it is the key of the records; if not, a header holds it.</param>
    public LogHeader[] TopicHeaders(string topic, bool isKey)
    {
        if (isKey && !_filterHeaders)
        {
            return NoHeaders;
        }

        List<LogHeader> headers = [];
        if (!isKey)
        {
            headers.Add(new(_names.Topic, Encoding.UTF8.GetBytes(topic)));
        }

        AddLevels(headers, _names.Filter, topic);
        return [.. headers];
    }

    /// <summary>The record of a message.</summary>
    /// <param name="key">The key; the topic name in UTF-8 unless <paramref name="topicHeaders"/> say another.</param>
    /// <param name="message">The message.</param>
    /// <param name="local">The publisher's client identifier in UTF-8.</param>
    /// <param name="replyTopic">The topic of the log that the message's response topic belongs to; null when it has none.</param>
    /// <param name="topicHeaders">The <see cref="TopicHeaders"/> of the message's topic; null: those of a topic that is the key.</param>
    /// <param name="partition">The partition; null lets the key decide.</param>
    public LogRecord Encode(
        ReadOnlyMemory<byte> key, MqttMessage message, ReadOnlyMemory<byte>? local, string? replyTopic, LogHeader[]? topicHeaders = null, int? partition = null)
    {
        topicHeaders ??= TopicHeaders(message.Topic, isKey: true);
        if (message.Retain)
        {
            topicHeaders = [new(_names.Retain, Retain), .. topicHeaders];
        }

        return new()
        {
            Key = key,
            Value = message.Payload,
            TimestampMilliseconds = message.TimestampMilliseconds,
            Partition = partition,
            Headers = (message.Properties, local) switch
            {
                ({ } properties, _) => EncodeHeaders(message.QoS, properties, local, replyTopic, topicHeaders),
                (null, null) => [_qos[message.QoS], .. topicHeaders],
                _ => [_qos[message.QoS], new(_names.Local, local), .. topicHeaders],
            },
        };
    }

    /// <summary>Whether a record was written for a publish of this server that was to be retained.</summary>
    public bool IsRetainedPublish(StoredRecord record)
    {
        foreach (var header in record.Headers ?? NoHeaders)
        {
            if (header.Name == _names.Retain)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The message of a record; null when neither a header nor its key holds a topic name.</summary>
    /// <param name="record">The record.</param>
    /// <param name="defaultQoS">The QoS of a record that carries none.</param>
    /// <param name="strings">Keeps topic names and client identifiers.</param>
    public MqttMessage? Decode(StoredRecord record, byte defaultQoS, Utf8StringCache strings)
    {
        var qos = defaultQoS;
        ReadOnlyMemory<byte>? topicBytes = null;
        var hasTopicHeader = false;
        string? local = null;
        var retain = false;
        PropertiesBuilder properties = default;
        foreach (var header in record.Headers ?? NoHeaders)
        {
            var value = header.Value.GetValueOrDefault().Span;
            if (!header.Name.StartsWith(_names.Prefix, StringComparison.Ordinal) || header.Name.StartsWith(_names.Escape, StringComparison.Ordinal))
            {
                AddUserProperty(ref properties, header.Name, value);
            }
            else if (header.Name == _names.QoS)
            {
                qos = value.Length == 1 && value[0] is >= (byte)'0' and <= (byte)'2' ? (byte)(value[0] - '0') : defaultQoS;
            }
            else if (header.Name == _names.Local)
            {
                local = strings.Get(value);
            }
            else if (header.Name == _names.Retain)
            {
                retain = value.SequenceEqual(Retain);
            }
            else if (header.Name == _names.Topic)
            {
                (topicBytes, hasTopicHeader) = (header.Value, true);
            }
            else
            {
                DecodeProperty(ref properties, header.Name, header.Value.GetValueOrDefault());
            }
        }

        // A header that is no topic name does not fall back to the key: the key of such a record is something else.
        topicBytes = hasTopicHeader ? topicBytes : record.Key;
        if (topicBytes is not { } bytes || strings.Get(bytes.Span) is not { } topic || !TopicFilter.IsTopicName(topic))
        {
            return null;
        }

        return new()
        {
            Topic = topic,
            Payload = record.Value.GetValueOrDefault(),
            QoS = qos,
            Retain = retain,
            PublisherClientId = local,
            TimestampMilliseconds = record.TimestampMilliseconds,
            Properties = properties.Build(),
            Offset = record.Offset,
        };
    }

    private LogHeader[] EncodeHeaders(byte qos, MessageProperties properties, ReadOnlyMemory<byte>? local, string? replyTopic, LogHeader[] topicHeaders)
    {
        List<LogHeader> headers = [_qos[qos]];
        if (local is not null)
        {
            headers.Add(new(_names.Local, local));
        }

        headers.AddRange(topicHeaders);
        if (properties.ExpiryIntervalSeconds is { } expiry)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, expiry);
            headers.Add(new(_names.Expiry, bytes));
        }

        if (properties.ContentType is { } contentType)
        {
            headers.Add(new(_names.ContentType, Encoding.UTF8.GetBytes(contentType)));
        }

        if (properties.IsText is { } isText)
        {
            headers.Add(new(_names.Format, isText ? Text : Binary));
        }

        if (properties.ResponseTopic is { } responseTopic)
        {
            headers.Add(new(_names.ReplyTo, Encoding.UTF8.GetBytes(replyTopic!)));
            headers.Add(new(_names.ReplyKey, Encoding.UTF8.GetBytes(responseTopic)));
            AddLevels(headers, _names.ReplyFilter, responseTopic);
        }

        if (properties.CorrelationData is { } correlation)
        {
            headers.Add(new(_names.CorrelationId, correlation));
        }

        foreach (var property in properties.UserProperties)
        {
            var name = property.Name.StartsWith(_names.Prefix, StringComparison.Ordinal) ? _names.Escape + property.Name : property.Name;
            headers.Add(new(name, Encoding.UTF8.GetBytes(property.Value)));
        }

        return [.. headers];
    }

    private void AddLevels(List<LogHeader> headers, string name, string topic)
    {
        if (_filterHeaders)
        {
            foreach (var level in topic.Split('/'))
            {
                headers.Add(new(name, Encoding.UTF8.GetBytes(level)));
            }
        }
    }

    private void AddUserProperty(ref PropertiesBuilder properties, string name, ReadOnlySpan<byte> value)
    {
        name = name.StartsWith(_names.Escape, StringComparison.Ordinal) ? name[_names.Escape.Length..] : name;

        // Headers of other producers may be no MQTT strings; those cannot travel on.
        if (Utf8StringCache.Decode(value) is { } text && !name.Contains('\0') && Encoding.UTF8.GetByteCount(name) <= ushort.MaxValue)
        {
            (properties.UserProperties ??= []).Add(new(name, text));
        }
    }

    private void DecodeProperty(ref PropertiesBuilder properties, string name, ReadOnlyMemory<byte> value)
    {
        if (name == _names.Expiry && value.Length == 4)
        {
            properties.Expiry = BinaryPrimitives.ReadUInt32BigEndian(value.Span);
        }
        else if (name == _names.ContentType)
        {
            properties.ContentType = Utf8StringCache.Decode(value.Span);
        }
        else if (name == _names.Format)
        {
            properties.IsText = value.Span.SequenceEqual(Text) ? true : value.Span.SequenceEqual(Binary) ? false : null;
        }
        else if (name == _names.ReplyKey)
        {
            properties.ResponseTopic = Utf8StringCache.Decode(value.Span) is { } topic && TopicFilter.IsTopicName(topic) ? topic : null;
        }
        else if (name == _names.CorrelationId && value.Length <= ushort.MaxValue)
        {
            properties.CorrelationData = value;
        }
    }

    private struct PropertiesBuilder
    {
        public uint? Expiry;
        public string? ContentType;
        public bool? IsText;
        public string? ResponseTopic;
        public ReadOnlyMemory<byte>? CorrelationData;
        public List<UserProperty>? UserProperties;

        public readonly MessageProperties? Build() =>
            Expiry is null && ContentType is null && IsText is null && ResponseTopic is null && CorrelationData is null && UserProperties is null
                ? null
                : new()
                {
                    ExpiryIntervalSeconds = Expiry,
                    ContentType = ContentType,
                    IsText = IsText,
                    ResponseTopic = ResponseTopic,
                    CorrelationData = CorrelationData,
                    UserProperties = UserProperties is null ? [] : [.. UserProperties],
                };
    }
}
