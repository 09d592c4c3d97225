using System.Text;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>A SUBSCRIBE (MQTT 5, 3.8).</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Subscriptions">The subscriptions in order; null where one is refused.</param>
/// <param name="Refusals">The reason codes of those that are refused; 0 for the others.</param>
internal sealed record SubscribePacket(ushort PacketId, Subscription?[] Subscriptions, byte[] Refusals)
{
    private static readonly ulong AllowedProperties = PropertyReader.SetOf(PropertyId.SubscriptionIdentifier, PropertyId.UserProperty);

    public static SubscribePacket Read(ReadOnlySpan<byte> body, ProtocolVersion version, ServerFeatures features)
    {
        var reader = new PacketReader(body);
        var packetId = reader.ReadPacketId();
        if (version == ProtocolVersion.Mqtt5)
        {
            ReadProperties(ref reader, features);
        }

        var subscriptions = new List<Subscription?>();
        var refusals = new List<byte>();
        while (!reader.IsAtEnd)
        {
            var filter = reader.ReadUtf8();
            var options = reader.ReadByte();
            CheckOptions(filter, options, version);
            var isShared = TopicSyntax.IsShared(filter);
            if (isShared ? !TopicSyntax.IsSharedFilter(filter) : !TopicSyntax.IsFilter(filter))
            {
                MqttProtocolException.ThrowMalformed("A topic filter is not valid.");
            }

            if (isShared && !features.SharedSubscriptions)
            {
                subscriptions.Add(null);
                refusals.Add((byte)(version == ProtocolVersion.Mqtt5 ? ReasonCode.SharedSubscriptionsNotSupported : ReasonCode.UnspecifiedError));
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
                MaximumQoS = (byte)(options & 3),
                NoLocal = (options & 0x04) != 0,
            });
            refusals.Add(0);
        }

        if (subscriptions.Count == 0)
        {
            MqttProtocolException.ThrowProtocolError("SUBSCRIBE holds no topic filter.");
        }

        return new SubscribePacket(packetId, [.. subscriptions], [.. refusals]);
    }

    private static void ReadProperties(ref PacketReader reader, ServerFeatures features)
    {
        var hasIdentifier = false;
        var properties = new PropertyReader(ref reader, AllowedProperties);
        while (properties.TryReadNext(out var property))
        {
            if (property == PropertyId.UserProperty)
            {
                properties.SkipText(property);
            }
            else if (properties.Values.ReadVariableInteger() == 0 || hasIdentifier)
            {
                MqttProtocolException.ThrowProtocolError("A Subscription Identifier may appear once and may not be 0.");
            }
            else
            {
                hasIdentifier = true;
            }
        }

        if (hasIdentifier && !features.SubscriptionIdentifiers)
        {
            throw new MqttProtocolException(ReasonCode.SubscriptionIdentifiersNotSupported, "Subscription identifiers are not available.");
        }
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
