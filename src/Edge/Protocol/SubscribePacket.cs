using System.Text;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>A SUBSCRIBE (MQTT 5, 3.8).</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Subscriptions">The subscriptions in order; null where one is refused.</param>
/// <param name="Refusals">The reason codes of those that are refused; 0 for the others.</param>
internal sealed record SubscribePacket(ushort PacketId, Subscription?[] Subscriptions, byte[] Refusals)
{
    /// <summary>The Retain Handling of subscriptions that are sent no retained messages.</summary>
    private const byte NoRetained = 2;

    private static readonly ulong AllowedProperties = PropertyReader.SetOf(PropertyId.SubscriptionIdentifier, PropertyId.UserProperty);

    public static SubscribePacket Read(ReadOnlySpan<byte> body, ProtocolVersion version, ServerFeatures features)
    {
        var reader = new PacketReader(body);
        var packetId = reader.ReadPacketId();
        var identifier = version == ProtocolVersion.Mqtt5 ? ReadIdentifier(ref reader, features) : 0;

        var subscriptions = new List<Subscription?>();
        var refusals = new List<byte>();
        while (!reader.IsAtEnd)
        {
            var filter = reader.ReadUtf8();
            // In MQTT 3.1 the other bits mean nothing.
            var options = (byte)(reader.ReadByte() & (version == ProtocolVersion.Mqtt31 ? 3 : 0xFF));
            CheckOptions(filter, options, version);
            var isShared = TopicSyntax.IsShared(filter);
            if (!TopicSyntax.IsAllowed(filter, version))
            {
                MqttProtocolException.ThrowMalformed("A topic filter is not valid.");
            }

            if (!TopicSyntax.IsServed(filter) || IsUnavailable(filter, isShared, version, features))
            {
                subscriptions.Add(null);
                refusals.Add((byte)ReasonCode.UnspecifiedError);
                continue;
            }

            if (TopicSyntax.IsTooDeep(filter))
            {
                subscriptions.Add(null);
                refusals.Add((byte)(version == ProtocolVersion.Mqtt5 ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError));
                continue;
            }

            subscriptions.Add(new Subscription
            {
                Filter = Encoding.UTF8.GetString(filter),
                MaximumQoS = Math.Min((byte)(options & 3), features.MaximumQoS),
                NoLocal = (options & 0x04) != 0,
                RetainAsPublished = (options & 0x08) != 0,
                RetainHandling = features.Retain ? (byte)((options >> 4) & 3) : NoRetained,
                Identifier = identifier,
            });
            refusals.Add(0);
        }

        if (subscriptions.Count == 0)
        {
            MqttProtocolException.ThrowProtocolError("SUBSCRIBE holds no topic filter.");
        }

        return new SubscribePacket(packetId, [.. subscriptions], [.. refusals]);
    }

    /// <summary>Whether the server does not do what a filter asks for: a protocol error in MQTT 5 (3.2.2.3.11, 3.2.2.3.13), a refusal of this filter before ([MQTT-3.8.3-2]).</summary>
    private static bool IsUnavailable(ReadOnlySpan<byte> filter, bool isShared, ProtocolVersion version, ServerFeatures features)
    {
        var reason = isShared && !features.SharedSubscriptions ? ReasonCode.SharedSubscriptionsNotSupported
            : !features.WildcardSubscriptions && filter.IndexOfAny((byte)'#', (byte)'+') >= 0 ? ReasonCode.WildcardSubscriptionsNotSupported
            : ReasonCode.Success;
        if (reason != ReasonCode.Success && version == ProtocolVersion.Mqtt5)
        {
            throw new MqttProtocolException(reason, isShared && !features.SharedSubscriptions ? "Shared subscriptions are not available." : "Wildcards in filters are not available.");
        }

        return reason != ReasonCode.Success;
    }

    /// <summary>Reads the properties and returns the Subscription Identifier; 0 when there is none.</summary>
    private static int ReadIdentifier(ref PacketReader reader, ServerFeatures features)
    {
        var identifier = 0;
        var properties = new PropertyReader(ref reader, AllowedProperties);
        while (properties.TryReadNext(out var property))
        {
            if (property == PropertyId.UserProperty)
            {
                properties.SkipText(property);
                continue;
            }

            var value = properties.Values.ReadVariableInteger();
            if (value == 0 || identifier != 0)
            {
                MqttProtocolException.ThrowProtocolError("A Subscription Identifier may appear once and may not be 0.");
            }

            identifier = value;
        }

        if (identifier != 0 && !features.SubscriptionIdentifiers)
        {
            throw new MqttProtocolException(ReasonCode.SubscriptionIdentifiersNotSupported, "Subscription identifiers are not available.");
        }

        return identifier;
    }

    private static void CheckOptions(ReadOnlySpan<byte> filter, byte options, ProtocolVersion version)
    {
        if ((options & (version == ProtocolVersion.Mqtt5 ? 0xC0 : 0xFC)) != 0)
        {
            MqttProtocolException.ThrowMalformed("A reserved bit of the subscription options is set.");
        }

        if ((options & 3) == 3 || (options & 0x30) == 0x30)
        {
            MqttProtocolException.ThrowProtocolError("A subscription option has the value 3.");
        }

        if ((options & 4) != 0 && TopicSyntax.IsShared(filter))
        {
            MqttProtocolException.ThrowProtocolError("A shared subscription may not be No Local.");
        }
    }
}
