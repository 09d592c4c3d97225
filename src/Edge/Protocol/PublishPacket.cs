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

    public MessageProperties? Properties { get; private init; }

    public ReadOnlySpan<byte> Payload { get; private init; }

    public static PublishPacket Read(byte flags, ReadOnlySpan<byte> body, ProtocolVersion version)
    {
        var reader = new PacketReader(body);
        var qos = (byte)((flags >> 1) & 3);
        var topic = reader.ReadBinary();
        var packetId = qos > 0 ? reader.ReadPacketId() : (ushort)0;
        var properties = version == ProtocolVersion.Mqtt5 ? ReadProperties(ref reader) : null;
        return new PublishPacket { QoS = qos, Retain = (flags & 1) != 0, Topic = topic, PacketId = packetId, Properties = properties, Payload = reader.Rest };
    }

    /// <summary>Checks a topic name that is well-formed UTF-8.</summary>
    public static void ExpectName(ReadOnlySpan<byte> topic)
    {
        if (!TopicSyntax.IsName(topic))
        {
            MqttProtocolException.ThrowMalformed("A topic name is empty or holds a wildcard.");
        }
    }

    private static MessageProperties? ReadProperties(ref PacketReader reader)
    {
        if (!reader.Rest.IsEmpty && reader.Rest[0] == 0)
        {
            reader.Take(1);
            return null;
        }

        var builder = default(MessagePropertiesBuilder);
        var properties = new PropertyReader(ref reader, AllowedProperties);
        while (properties.TryReadNext(out var property))
        {
            if (builder.TryRead(property, ref properties))
            {
                continue;
            }

            if (property == PropertyId.TopicAlias)
            {
                throw new MqttProtocolException(ReasonCode.TopicAliasInvalid, "Topic aliases are not available: Topic Alias Maximum is 0.");
            }

            MqttProtocolException.ThrowProtocolError("A PUBLISH of a client may not hold a Subscription Identifier.");
        }

        return builder.Build();
    }
}
