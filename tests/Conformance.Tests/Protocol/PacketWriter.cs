using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>Writes the fields of a packet.</summary>
internal sealed class PacketWriter
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public void WriteByte(byte value) => _bytes.Add(value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);

    public void WriteUInt16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        _bytes.AddRange(bytes);
    }

    public void WriteUInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _bytes.AddRange(bytes);
    }

    public void WriteVariableInteger(int value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Add((byte)((value & 0x7F) | 0x80));
        }

        _bytes.Add((byte)value);
    }

    public void WriteText(string text) => WriteBinary(Encoding.UTF8.GetBytes(text));

    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        WriteUInt16((ushort)bytes.Length);
        _bytes.AddRange(bytes);
    }

    public byte[] ToArray() => [.. _bytes];

    /// <summary>The packet with this variable header and payload.</summary>
    public byte[] ToPacket(byte firstByte)
    {
        PacketWriter packet = new();
        packet.WriteByte(firstByte);
        packet.WriteVariableInteger(Length);
        return [.. packet._bytes, .. _bytes];
    }
}
