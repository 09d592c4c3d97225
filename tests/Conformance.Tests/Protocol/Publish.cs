using System.Text;

namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Publish(string Topic, string Payload) : Packet
{
    public int QoS { get; init; }

    public ushort PacketId { get; init; }

    public bool IsDuplicate { get; init; }

    public bool IsRetained { get; init; }

    public PropertyList Properties { get; init; } = [];

    public static Publish Read(PacketReader reader, MqttVersion version, int flags)
    {
        var qoS = (flags >> 1) & 3;
        Assert.NotEqual(3, qoS);
        var topic = reader.ReadText();
        var packetId = qoS > 0 ? reader.ReadUInt16() : (ushort)0;
        var properties = version is V5 ? PropertyList.ReadFrom(reader) : [];
        return new(topic, Encoding.UTF8.GetString(reader.ReadRest()))
        {
            QoS = qoS,
            PacketId = packetId,
            IsDuplicate = (flags & 8) != 0,
            IsRetained = (flags & 1) != 0,
            Properties = properties,
        };
    }

    public byte[] Encode(MqttVersion version)
    {
        PacketWriter writer = new();
        writer.WriteText(Topic);
        if (QoS > 0)
        {
            writer.WriteUInt16(PacketId);
        }

        if (version is V5)
        {
            Properties.WriteTo(writer);
        }

        writer.WriteBytes(Encoding.UTF8.GetBytes(Payload));
        return writer.ToPacket((byte)(0x30 | (IsDuplicate ? 8 : 0) | (QoS << 1) | (IsRetained ? 1 : 0)));
    }
}
