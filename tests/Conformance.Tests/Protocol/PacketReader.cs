using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>Reads the fields of a packet that the server sent; fails a test when they do not fit.</summary>
internal sealed class PacketReader(byte[] bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public int Position { get; private set; }

    public bool IsAtEnd => Position == bytes.Length;

    public byte ReadByte() => Take(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public string ReadText() => Strict.GetString(Take(ReadUInt16()));

    public byte[] ReadBinary() => Take(ReadUInt16()).ToArray();

    public byte[] ReadRest() => Take(bytes.Length - Position).ToArray();

    public int ReadVariableInteger()
    {
        var value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var next = ReadByte();
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("A variable byte integer has more than four bytes.");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        Assert.True(count <= bytes.Length - Position, "A packet of the server ends inside of a field.");
        Position += count;
        return bytes.AsSpan(Position - count, count);
    }
}
