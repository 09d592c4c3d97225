using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Reads a response.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public byte ReadInt8() => Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(sizeof(short)));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(sizeof(int)));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(sizeof(long)));

    /// <summary>The number of elements that follow; 0 for a null array.</summary>
    public int ReadCount() => Math.Max(0, ReadInt32());

    /// <summary>A string's bytes; empty for null.</summary>
    public ReadOnlySpan<byte> ReadUtf8() => Take(Math.Max((short)0, ReadInt16()));

    public string ReadString() => Encoding.UTF8.GetString(ReadUtf8());

    /// <summary>The number of elements that follow, or of bytes, in a flexible response; 0 for null.</summary>
    public int ReadCompactCount() => Math.Max(0, (int)ReadUnsignedVarint() - 1);

    /// <summary>A string of a flexible response; empty for null.</summary>
    public string ReadCompactString() => Encoding.UTF8.GetString(Take(ReadCompactCount()));

    public Guid ReadGuid() => new(Take(16), bigEndian: true);

    /// <summary>Passes over the end of a structure of a flexible response.</summary>
    public void SkipTags()
    {
        for (var left = ReadUnsignedVarint(); left > 0; left--)
        {
            _ = ReadUnsignedVarint();
            _ = Take((int)ReadUnsignedVarint());
        }
    }

    /// <summary>Bytes; empty for null.</summary>
    public ReadOnlySpan<byte> ReadBytes() => Take(Math.Max(0, ReadInt32()));

    private uint ReadUnsignedVarint()
    {
        var result = 0U;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var value = ReadInt8();
            result |= (uint)(value & 0x7f) << shift;
            if (value < 0x80)
            {
                return result;
            }
        }

        throw new WireException("A number in a response is longer than 5 bytes.");
    }

    private ReadOnlySpan<byte> Take(int size)
    {
        if (size < 0 || size > _rest.Length)
        {
            throw new WireException("A response of the broker ends too early.");
        }

        var result = _rest[..size];
        _rest = _rest[size..];
        return result;
    }
}
