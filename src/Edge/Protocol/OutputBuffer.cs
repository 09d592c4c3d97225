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

    /// <summary>The packets written: acknowledgements are counted here, all others by who writes them.</summary>
    public int Packets;

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

    /// <summary>Writes a PUBACK, PUBREC, PUBREL or PUBCOMP: in its shortest form when the reason code is 0, and without a Reason String when that is empty.</summary>
    public void WriteAcknowledgement(PacketType type, ushort packetId, byte reasonCode, ReadOnlySpan<byte> reasonString)
    {
        Packets++;
        // A Reason String is short: lengths of one byte.
        var span = Reserve(reasonCode == 0 ? 4 : reasonString.IsEmpty ? 5 : 9 + reasonString.Length);
        span[0] = (byte)(((int)type << 4) | (type == PacketType.PubRel ? 2 : 0));
        span[1] = (byte)(span.Length - 2);
        BinaryPrimitives.WriteUInt16BigEndian(span[2..], packetId);
        if (reasonCode != 0)
        {
            span[4] = reasonCode;
        }

        if (span.Length > 5)
        {
            span[5] = (byte)(3 + reasonString.Length);
            span[6] = (byte)PropertyId.ReasonString;
            BinaryPrimitives.WriteUInt16BigEndian(span[7..], (ushort)reasonString.Length);
            reasonString.CopyTo(span[9..]);
        }
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
