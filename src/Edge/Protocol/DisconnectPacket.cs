namespace OrleansMqtt.Edge.Protocol;

/// <summary>A DISCONNECT of a client (MQTT 5, 3.14).</summary>
internal readonly record struct DisconnectPacket(byte ReasonCode, uint? SessionExpiryInterval)
{
    private static readonly ulong AllowedProperties = PropertyReader.SetOf(PropertyId.SessionExpiryInterval, PropertyId.ReasonString, PropertyId.UserProperty);

    public static DisconnectPacket Read(ReadOnlySpan<byte> body, ProtocolVersion version)
    {
        var reader = new PacketReader(body);
        if (version != ProtocolVersion.Mqtt5 || reader.IsAtEnd)
        {
            reader.ExpectEnd();
            return default;
        }

        var reasonCode = reader.ReadByte();
        if (reasonCode is not (0x00 or 0x04 or (>= 0x80 and <= 0x83) or 0x90 or (>= 0x93 and <= 0x99)))
        {
            MqttProtocolException.ThrowMalformed($"0x{reasonCode:X2} is no reason code of a client's DISCONNECT.");
        }

        uint? expiry = null;
        if (!reader.IsAtEnd)
        {
            var properties = new PropertyReader(ref reader, AllowedProperties);
            while (properties.TryReadNext(out var property))
            {
                if (property == PropertyId.SessionExpiryInterval)
                {
                    expiry = properties.Values.ReadUInt32();
                }
                else
                {
                    properties.SkipText(property);
                }
            }

            reader.ExpectEnd();
        }

        return new DisconnectPacket(reasonCode, expiry);
    }
}
