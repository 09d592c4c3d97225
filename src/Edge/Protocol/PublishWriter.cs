using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>Writes PUBLISH packets to clients (MQTT 5, 3.3).</summary>
internal static class PublishWriter
{
    /// <summary>
    /// Writes a PUBLISH; false, with nothing written, when it would be larger than the client takes ([MQTT-3.1.2-24]).
    /// </summary>
    public static bool TryWrite(ref OutputBuffer output, ProtocolVersion version, MqttMessage message, in PublishHeader header, uint maximumPacketSize)
    {
        var topicLength = header.Alias.IsKnown ? 0 : Encoding.UTF8.GetByteCount(message.Topic);
        var propertiesLength = 0;
        var headLength = 2 + topicLength + (header.QoS > 0 ? 2 : 0);
        if (version == ProtocolVersion.Mqtt5)
        {
            var messageLength = message.Properties is { } properties ? GetPropertiesLength(properties) : 0;
            propertiesLength = messageLength < 0 ? messageLength : messageLength + GetPropertiesLength(header);
            headLength += VariableInteger.GetLength(Math.Max(0, propertiesLength)) + propertiesLength;
        }

        var bodyLength = (long)headLength + message.Payload.Length;
        if (bodyLength > 268_435_455 || topicLength > ushort.MaxValue || propertiesLength < 0)
        {
            return false;
        }

        var frameLength = 1 + VariableInteger.GetLength((int)bodyLength);
        if (frameLength + bodyLength > maximumPacketSize)
        {
            return false;
        }

        var span = output.Reserve(frameLength + headLength);
        span[0] = (byte)(((int)PacketType.Publish << 4) | (header.IsDuplicate ? 8 : 0) | (header.QoS << 1) | (header.IsRetained ? 1 : 0));
        var position = 1 + VariableInteger.Write(span[1..], (int)bodyLength);
        BinaryPrimitives.WriteUInt16BigEndian(span[position..], (ushort)topicLength);
        position += 2;
        position += topicLength == 0 ? 0 : Encoding.UTF8.GetBytes(message.Topic, span[position..]);
        if (header.QoS > 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(span[position..], header.PacketId);
            position += 2;
        }

        if (version == ProtocolVersion.Mqtt5)
        {
            position += VariableInteger.Write(span[position..], propertiesLength);
            if (propertiesLength > 0)
            {
                WriteProperties(WriteProperties(span[position..], header), message.Properties, header.RemainingExpiry);
            }
        }

        output.Write(message.Payload.Span);
        return true;
    }

    private static int GetPropertiesLength(in PublishHeader header)
    {
        var length = header.Alias.Number == 0 ? 0 : 3;
        foreach (var identifier in header.SubscriptionIdentifiers.AsSpan())
        {
            length += 1 + VariableInteger.GetLength(identifier);
        }

        return length;
    }

    /// <summary>-1 when a value is longer than MQTT allows, as a record that another Kafka producer wrote may hold.</summary>
    private static int GetPropertiesLength(MessageProperties properties)
    {
        var length = (properties.IsText is null ? 0 : 2) + (properties.ExpiryIntervalSeconds is null ? 0 : 5);
        var longest = 0;
        Add(properties.ContentType is { } contentType ? Encoding.UTF8.GetByteCount(contentType) : -1, ref length, ref longest);
        Add(properties.ResponseTopic is { } responseTopic ? Encoding.UTF8.GetByteCount(responseTopic) : -1, ref length, ref longest);
        Add(properties.CorrelationData is { } correlationData ? correlationData.Length : -1, ref length, ref longest);
        foreach (var property in properties.UserProperties)
        {
            Add(Encoding.UTF8.GetByteCount(property.Name), ref length, ref longest);
            Add(Encoding.UTF8.GetByteCount(property.Value), ref length, ref longest);
            length--;
        }

        return longest > ushort.MaxValue ? -1 : length;

        static void Add(int valueLength, ref int length, ref int longest)
        {
            if (valueLength >= 0)
            {
                length += 3 + valueLength;
                longest = Math.Max(longest, valueLength);
            }
        }
    }

    private static Span<byte> WriteProperties(Span<byte> target, in PublishHeader header)
    {
        if (header.Alias.Number != 0)
        {
            target[0] = (byte)PropertyId.TopicAlias;
            BinaryPrimitives.WriteUInt16BigEndian(target[1..], header.Alias.Number);
            target = target[3..];
        }

        foreach (var identifier in header.SubscriptionIdentifiers.AsSpan())
        {
            target[0] = (byte)PropertyId.SubscriptionIdentifier;
            target = target[(1 + VariableInteger.Write(target[1..], identifier))..];
        }

        return target;
    }

    private static void WriteProperties(Span<byte> target, MessageProperties? properties, uint? remainingExpiry)
    {
        if (properties is null)
        {
            return;
        }

        if (properties.IsText is { } isText)
        {
            target[0] = (byte)PropertyId.PayloadFormatIndicator;
            target[1] = isText ? (byte)1 : (byte)0;
            target = target[2..];
        }

        if (properties.ExpiryIntervalSeconds is { } expiry)
        {
            target[0] = (byte)PropertyId.MessageExpiryInterval;
            BinaryPrimitives.WriteUInt32BigEndian(target[1..], remainingExpiry ?? expiry);
            target = target[5..];
        }

        if (properties.ContentType is { } contentType)
        {
            target[0] = (byte)PropertyId.ContentType;
            target = WriteString(target[1..], contentType);
        }

        if (properties.ResponseTopic is { } responseTopic)
        {
            target[0] = (byte)PropertyId.ResponseTopic;
            target = WriteString(target[1..], responseTopic);
        }

        if (properties.CorrelationData is { } correlationData)
        {
            target[0] = (byte)PropertyId.CorrelationData;
            BinaryPrimitives.WriteUInt16BigEndian(target[1..], (ushort)correlationData.Length);
            correlationData.Span.CopyTo(target[3..]);
            target = target[(3 + correlationData.Length)..];
        }

        foreach (var property in properties.UserProperties)
        {
            target[0] = (byte)PropertyId.UserProperty;
            target = WriteString(WriteString(target[1..], property.Name), property.Value);
        }
    }

    private static Span<byte> WriteString(Span<byte> target, string text)
    {
        var length = Encoding.UTF8.GetBytes(text, target[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)length);
        return target[(2 + length)..];
    }
}
