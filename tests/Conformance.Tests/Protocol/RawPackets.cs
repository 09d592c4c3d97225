using System.Text;

namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>Packets whose fields no client would write.</summary>
internal static class RawPackets
{
    public const byte CleanStartFlag = 0x02;
    public const byte WillFlag = 0x04;
    public const byte PasswordFlag = 0x40;
    public const byte UserNameFlag = 0x80;

    /// <summary>CONNECT with these fields in its payload.</summary>
    public static byte[] Connect(MqttVersion version, byte flags, params byte[][] fields) => Connect("MQTT", (byte)version, version, flags, fields);

    public static byte[] Connect(string protocol, byte level, MqttVersion form, byte flags, params byte[][] fields) => ConnectWith([], protocol, level, form, flags, fields);

    /// <summary>CONNECT with these properties where the form has them, and these fields in its payload.</summary>
    public static byte[] ConnectWith(byte[] properties, string protocol, byte level, MqttVersion form, byte flags, params byte[][] fields)
    {
        PacketWriter writer = new();
        writer.WriteText(protocol);
        writer.WriteByte(level);
        writer.WriteByte(flags);
        writer.WriteUInt16(0);
        WriteProperties(writer, form, properties);
        foreach (var field in fields)
        {
            writer.WriteBytes(field);
        }

        return writer.ToPacket(0x10);
    }

    /// <summary>A packet with a packet identifier, these properties where the version has them, and these fields behind.</summary>
    public static byte[] Request(MqttVersion version, byte firstByte, ushort packetId, byte[] properties, params byte[][] fields)
    {
        PacketWriter writer = new();
        writer.WriteUInt16(packetId);
        WriteProperties(writer, version, properties);
        foreach (var field in fields)
        {
            writer.WriteBytes(field);
        }

        return writer.ToPacket(firstByte);
    }

    /// <summary>PUBLISH of QoS 1.</summary>
    public static byte[] Publish(MqttVersion version, byte[] topic, byte[] properties)
    {
        PacketWriter writer = new();
        writer.WriteBinary(topic);
        writer.WriteUInt16(1);
        WriteProperties(writer, version, properties);
        return writer.ToPacket(0x32);
    }

    /// <summary>A field with its length.</summary>
    public static byte[] Field(ReadOnlySpan<byte> bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    public static byte[] Field(string text) => Field(Encoding.UTF8.GetBytes(text));

    /// <summary>Properties with their length, in MQTT 5.</summary>
    public static byte[] Properties(MqttVersion version, byte[] properties)
    {
        PacketWriter writer = new();
        WriteProperties(writer, version, properties);
        return writer.ToArray();
    }

    private static void WriteProperties(PacketWriter writer, MqttVersion version, byte[] properties)
    {
        if (version is V5)
        {
            writer.WriteVariableInteger(properties.Length);
            writer.WriteBytes(properties);
        }
    }
}
