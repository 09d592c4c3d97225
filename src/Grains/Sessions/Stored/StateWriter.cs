using System.Buffers;
using System.Text;

namespace OrleansMqtt.Grains;

/// <summary>Writes the layouts of the sessions topic: whole numbers in seven bits a byte, least significant first, so that small ones are short.</summary>
internal sealed class StateWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);

    public void WriteByte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void WriteNumber(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        var rest = (ulong)value;
        while (rest >= 0x80)
        {
            WriteByte((byte)(rest | 0x80));
            rest >>= 7;
        }

        WriteByte((byte)rest);
    }

    /// <summary>A number that may be negative, near zero most of the time.</summary>
    public void WriteDifference(long value)
    {
        // The sign goes to the lowest bit.
        var folded = (ulong)(value << 1) ^ (ulong)(value >> 63);
        while (folded >= 0x80)
        {
            WriteByte((byte)(folded | 0x80));
            folded >>= 7;
        }

        WriteByte((byte)folded);
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteNumber(value.Length);
        _buffer.Write(value);
    }

    public void WriteText(string value)
    {
        WriteNumber(Encoding.UTF8.GetByteCount(value));
        Encoding.UTF8.GetBytes(value, _buffer);
    }

    /// <summary>What was written, in an array of its own; the writer begins anew.</summary>
    public byte[] Take()
    {
        var written = _buffer.WrittenSpan.ToArray();
        _buffer.ResetWrittenCount();
        return written;
    }
}
