using System.Text;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>An UNSUBSCRIBE (MQTT 5, 3.10).</summary>
internal sealed record UnsubscribePacket(ushort PacketId, string[] Filters)
{
    private static readonly ulong AllowedProperties = PropertyReader.SetOf(PropertyId.UserProperty);

    public static UnsubscribePacket Read(ReadOnlySpan<byte> body, ProtocolVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.ReadPacketId();
        if (version == ProtocolVersion.Mqtt5)
        {
            var properties = new PropertyReader(ref reader, AllowedProperties);
            while (properties.TryReadNext(out var property))
            {
                properties.SkipText(property);
            }
        }

        var filters = new List<string>();
        while (!reader.IsAtEnd)
        {
            var filter = reader.ReadUtf8();
            if (!TopicSyntax.IsAllowed(filter, version))
            {
                MqttProtocolException.ThrowMalformed("A topic filter is not valid.");
            }

            filters.Add(Encoding.UTF8.GetString(filter));
        }

        if (filters.Count == 0)
        {
            MqttProtocolException.ThrowProtocolError("UNSUBSCRIBE holds no topic filter.");
        }

        return new UnsubscribePacket(packetId, [.. filters]);
    }
}
