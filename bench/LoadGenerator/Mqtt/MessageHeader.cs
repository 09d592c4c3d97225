using System.Buffers.Binary;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>The first 16 bytes of each payload, big-endian: publisher (uint32), sequence from 0 (uint32), send time (int64, Stopwatch ticks of the generator).</summary>
internal readonly record struct MessageHeader(uint Publisher, uint Sequence, long Ticks)
{
    public const int Length = 16;

    public static MessageHeader Read(ReadOnlySpan<byte> payload) => new(
        BinaryPrimitives.ReadUInt32BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[4..]), BinaryPrimitives.ReadInt64BigEndian(payload[8..]));

    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt32BigEndian(payload, Publisher);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], Sequence);
        BinaryPrimitives.WriteInt64BigEndian(payload[8..], Ticks);
    }
}
