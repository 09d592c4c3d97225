namespace OrleansMqtt.Edge.Protocol;

/// <summary>A PUBLISH (MQTT 5, 3.3), as a view of the bytes that were received.</summary>
internal readonly ref struct PublishPacket
{
    private static readonly ulong AllowedProperties = PropertyReader.SetOf(
        PropertyId.PayloadFormatIndicator, PropertyId.MessageExpiryInterval, PropertyId.TopicAlias, PropertyId.ResponseTopic, PropertyId.CorrelationData,
        PropertyId.UserProperty, PropertyId.SubscriptionIdentifier, PropertyId.ContentType);

    public byte QoS { get; private init; }

    public bool Retain { get; private init; }

    /// <summary>The Topic Name; its syntax is not checked yet.</summary>
    public ReadOnlySpan<byte> Topic { get; private init; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; private init; }

    /// <summary>Null when none of them travels with the message.</summary>
    public MessageProperties? Properties { get; private init; }

    /// <summary>The Topic Alias, whatever its value; null when there is none.</summary>
    public ushort? TopicAlias { get; private init; }

    public ReadOnlySpan<byte> Payload { get; private init; }

    public static PublishPacket Read(byte flags, ReadOnlySpan<byte> body, ProtocolVersion version)
    {
        var reader = new PacketReader(body);
        var qos = (byte)((flags >> 1) & 3);
        var topic = reader.ReadBinary();
        var packetId = qos > 0 ? reader.ReadPacketId() : (ushort)0;
        ushort? alias = null;
        var properties = version == ProtocolVersion.Mqtt5 ? ReadProperties(ref reader, out alias) : null;
        return new PublishPacket
        {
            QoS = qos,
            Retain = (flags & 1) != 0,
            Topic = topic,
            PacketId = packetId,
            Properties = properties,
            TopicAlias = alias,
            Payload = reader.Rest,
        };
    }

    /// <summary>Checks a topic name that is well-formed UTF-8.</summary>
    public static void ExpectName(ReadOnlySpan<byte> topic)
    {
        if (!TopicSyntax.IsName(topic))
        {
            MqttProtocolException.ThrowMalformed("A topic name is empty or holds a wildcard.");
        }
    }

    private static MessageProperties? ReadProperties(ref PacketReader reader, out ushort? alias)
    {
        alias = null;
        if (!reader.Rest.IsEmpty && reader.Rest[0] == 0)
        {
            reader.Take(1);
            return null;
        }

        var isEmpty = true;
        var builder = default(MessagePropertiesBuilder);
        var properties = new PropertyReader(ref reader, AllowedProperties);
        while (properties.TryReadNext(out var property))
        {
            if (property == PropertyId.TopicAlias)
            {
                alias = properties.Values.ReadUInt16();
            }
            else if (builder.TryRead(property, ref properties))
            {
                isEmpty = false;
            }
            else
            {
                // A malformed value goes before a property that must not be there.
                properties.Values.ReadVariableInteger();
                MqttProtocolException.ThrowProtocolError("A PUBLISH of a client may not hold a Subscription Identifier.");
            }
        }

        return isEmpty ? null : builder.Build();
    }
}
