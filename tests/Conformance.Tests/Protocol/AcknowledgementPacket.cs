namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
internal abstract record AcknowledgementPacket(ushort PacketId, byte Code, PropertyList Properties) : Packet
{
    protected abstract byte FirstByte { get; }

    public static AcknowledgementPacket Read(PacketReader reader, Func<ushort, byte, PropertyList, AcknowledgementPacket> create)
    {
        var packetId = reader.ReadUInt16();
        var code = reader.IsAtEnd ? (byte)0 : reader.ReadByte();
        return create(packetId, code, reader.IsAtEnd ? [] : PropertyList.ReadFrom(reader));
    }

    public byte[] Encode()
    {
        PacketWriter writer = new();
        writer.WriteUInt16(PacketId);
        if (Code != 0 || Properties.Any())
        {
            writer.WriteByte(Code);
        }

        if (Properties.Any())
        {
            Properties.WriteTo(writer);
        }

        return writer.ToPacket(FirstByte);
    }
}
