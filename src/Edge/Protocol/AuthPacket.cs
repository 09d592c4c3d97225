namespace OrleansMqtt.Edge.Protocol;

/// <summary>An AUTH of a client (MQTT 5, 3.15).</summary>
internal readonly record struct AuthPacket(ReasonCode ReasonCode, string Method, byte[] Data)
{
    private static readonly ulong AllowedProperties = PropertyReader.SetOf(
        PropertyId.AuthenticationMethod, PropertyId.AuthenticationData, PropertyId.ReasonString, PropertyId.UserProperty);

    public static AuthPacket Read(ReadOnlySpan<byte> body)
    {
        var reader = new PacketReader(body);
        var reasonCode = reader.IsAtEnd ? ReasonCode.Success : (ReasonCode)reader.ReadByte();
        if (reasonCode is not (ReasonCode.Success or ReasonCode.ContinueAuthentication or ReasonCode.Reauthenticate))
        {
            // [MQTT-3.15.2-1]
            MqttProtocolException.ThrowMalformed($"0x{(byte)reasonCode:X2} is no reason code of AUTH.");
        }

        string? method = null;
        byte[] data = [];
        if (!reader.IsAtEnd)
        {
            var properties = new PropertyReader(ref reader, AllowedProperties);
            while (properties.TryReadNext(out var property))
            {
                switch (property)
                {
                    case PropertyId.AuthenticationMethod:
                        method = properties.Values.ReadString();
                        break;
                    case PropertyId.AuthenticationData:
                        data = properties.Values.ReadBinary().ToArray();
                        break;
                    default:
                        properties.SkipText(property);
                        break;
                }
            }

            reader.ExpectEnd();
        }

        if (method is null)
        {
            MqttProtocolException.ThrowProtocolError("AUTH has no Authentication Method.");
        }

        if (reasonCode == ReasonCode.Success)
        {
            MqttProtocolException.ThrowProtocolError("Only the server sends AUTH with reason code 0x00.");
        }

        return new AuthPacket(reasonCode, method, data);
    }
}
