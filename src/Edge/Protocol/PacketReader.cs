using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>Reads the fields of one packet (MQTT 5, 1.5). Whatever does not fit is a malformed packet.</summary>
internal ref struct PacketReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    /// <summary>What is not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Whether all is read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    public ReadOnlySpan<byte> Take(int length)
    {
        if ((uint)length > (uint)_rest.Length)
        {
            MqttProtocolException.ThrowMalformed("A field is longer than its packet.");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    public byte ReadByte() => Take(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>A Variable Byte Integer, in its shortest form ([MQTT-1.5.5-1]).</summary>
    public int ReadVariableInteger()
    {
        var value = 0;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var next = ReadByte();
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                if (next == 0 && shift > 0)
                {
                    break;
                }

                return value;
            }
        }

        MqttProtocolException.ThrowMalformed("A variable byte integer is too long.");
        return 0;
    }

    /// <summary>Binary Data: a length of two bytes and the bytes.</summary>
    public ReadOnlySpan<byte> ReadBinary() => Take(ReadUInt16());

    /// <summary>A UTF-8 Encoded String, checked ([MQTT-1.5.4-1], [MQTT-1.5.4-2]), not decoded.</summary>
    public ReadOnlySpan<byte> ReadUtf8()
    {
        var text = ReadBinary();
        CheckUtf8(text);
        return text;
    }

    public string ReadString() => Encoding.UTF8.GetString(ReadUtf8());

    /// <summary>A packet identifier: never 0 ([MQTT-2.2.1-3]).</summary>
    public ushort ReadPacketId()
    {
        var packetId = ReadUInt16();
        if (packetId == 0)
        {
            MqttProtocolException.ThrowProtocolError("A packet identifier may not be 0.");
        }

        return packetId;
    }

    /// <summary>Nothing may follow the last field.</summary>
    public readonly void ExpectEnd()
    {
        if (!_rest.IsEmpty)
        {
            MqttProtocolException.ThrowMalformed("The packet is longer than its fields.");
        }
    }

    public static void CheckUtf8(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text) || text.Contains((byte)0))
        {
            MqttProtocolException.ThrowMalformed("A string is not well-formed UTF-8, or contains U+0000.");
        }
    }
}
