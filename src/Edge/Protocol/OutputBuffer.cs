using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>Writes packets one after the other into the memory of a pipe, asking the pipe only when a stretch of memory is full.</summary>
internal ref struct OutputBuffer(PipeWriter pipe)
{
    private const int StretchLength = 2048;

    private Span<byte> _span;
    private int _used;

    /// <summary>The bytes written.</summary>
    public int Written { get; private set; }

    /// <summary>The next <paramref name="length"/> bytes, to be filled.</summary>
    public Span<byte> Reserve(int length)
    {
        if (_span.Length - _used < length)
        {
            Commit();
            _span = pipe.GetSpan(length);
        }

        var reserved = _span.Slice(_used, length);
        _used += length;
        Written += length;
        return reserved;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= StretchLength)
        {
            bytes.CopyTo(Reserve(bytes.Length));
            return;
        }

        Commit();
        pipe.Write(bytes);
        Written += bytes.Length;
    }

    public void WritePubAck(ushort packetId)
    {
        var span = Reserve(4);
        span[0] = (int)PacketType.PubAck << 4;
        span[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(span[2..], packetId);
    }

    /// <summary>Hands what is written to the pipe.</summary>
    public void Commit()
    {
        if (_used > 0)
        {
            pipe.Advance(_used);
        }

        _span = default;
        _used = 0;
    }
}
