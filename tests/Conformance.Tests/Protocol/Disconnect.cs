namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Disconnect(byte Code, PropertyList Properties) : Packet
{
    public static Disconnect Read(PacketReader reader)
    {
        var code = reader.IsAtEnd ? (byte)0 : reader.ReadByte();
        return new(code, reader.IsAtEnd ? [] : PropertyList.ReadFrom(reader));
    }

    public byte[] Encode(MqttVersion version)
    {
        PacketWriter writer = new();
        if (version is V5 && (Code != 0 || Properties.Any()))
        {
            writer.WriteByte(Code);
            Properties.WriteTo(writer);
        }

        return writer.ToPacket(0xE0);
    }
}
