using System.Buffers.Binary;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Reads the record batches of a fetched partition, and passes over what aborted transactions wrote. For one thread.</summary>
internal sealed class RecordBatchReader
{
    private const int LengthAt = 8;
    private const int PrefixSize = 12;
    private const int MagicAt = 16;
    private const int AttributesAt = 21;
    private const int LastOffsetDeltaAt = 23;
    private const int BaseTimestampAt = 27;
    private const int MaximumTimestampAt = 35;
    private const int ProducerIdAt = 43;
    private const int CountAt = 57;
    private const short CompressionBits = 0x07;
    private const short AppendTimeBit = 0x08;
    private const short TransactionalBit = 0x10;
    private const short ControlBit = 0x20;
    private readonly HeaderNameCache _names = new();
    private readonly RecordMemory _memory = new();
    private readonly HashSet<long> _aborting = [];

    /// <summary>The producers of aborted transactions and the offsets that these start at: to be filled before each partition.</summary>
    public List<(long ProducerId, long FirstOffset)> Aborted { get; } = [];

    /// <summary>Adds the records at and after <paramref name="offset"/>; the offset moves behind what was read.</summary>
    /// <returns>False when the batch at the offset is none that is read here: it is compressed, or of an old format.</returns>
    public bool Read(ReadOnlySpan<byte> source, ref long offset, List<StoredRecord> target)
    {
        Aborted.Sort(static (one, other) => one.FirstOffset.CompareTo(other.FirstOffset));
        _aborting.Clear();
        var nextAborted = 0;

        // The last batch may be cut off.
        while (source.Length >= AppendBatch.HeaderSize && BinaryPrimitives.ReadInt32BigEndian(source[LengthAt..]) + PrefixSize is var size && size <= source.Length)
        {
            var batch = source[..size];
            source = source[size..];
            if (batch[MagicAt] != 2)
            {
                return false;
            }

            var baseOffset = BinaryPrimitives.ReadInt64BigEndian(batch);
            var next = baseOffset + BinaryPrimitives.ReadInt32BigEndian(batch[LastOffsetDeltaAt..]) + 1;
            var attributes = BinaryPrimitives.ReadInt16BigEndian(batch[AttributesAt..]);
            var producerId = BinaryPrimitives.ReadInt64BigEndian(batch[ProducerIdAt..]);
            for (; nextAborted < Aborted.Count && Aborted[nextAborted].FirstOffset < next; nextAborted++)
            {
                _aborting.Add(Aborted[nextAborted].ProducerId);
            }

            if ((attributes & ControlBit) != 0)
            {
                // A marker ends the producer's transaction, whichever way.
                _aborting.Remove(producerId);
            }
            else if (next > offset && ((attributes & TransactionalBit) == 0 || !_aborting.Contains(producerId)))
            {
                if ((attributes & CompressionBits) != 0)
                {
                    return false;
                }

                ReadRecords(batch, baseOffset, attributes, offset, target);
            }

            offset = Math.Max(offset, next);
        }

        return true;
    }

    private static ReadOnlyMemory<byte>? ReadBytes(ReadOnlyMemory<byte> source, ref int position)
    {
        var length = (int)Varint.Read(source.Span, ref position);
        if (length < 0)
        {
            return null;
        }

        var start = position;
        position += length;
        return source.Slice(start, length);
    }

    private void ReadRecords(ReadOnlySpan<byte> batch, long baseOffset, short attributes, long from, List<StoredRecord> target)
    {
        var baseTimestamp = BinaryPrimitives.ReadInt64BigEndian(batch[BaseTimestampAt..]);
        long? appendTime = (attributes & AppendTimeBit) != 0 ? BinaryPrimitives.ReadInt64BigEndian(batch[MaximumTimestampAt..]) : null;
        var position = AppendBatch.HeaderSize;
        for (var count = BinaryPrimitives.ReadInt32BigEndian(batch[CountAt..]); count > 0; count--)
        {
            var length = (int)Varint.Read(batch, ref position);
            var record = batch.Slice(position, length);
            position += length;

            // The first byte holds attributes, of which there are none.
            var at = 1;
            var timestamp = baseTimestamp + Varint.Read(record, ref at);
            var offset = baseOffset + Varint.Read(record, ref at);
            if (offset >= from)
            {
                target.Add(ReadRecord(_memory.Copy(record[at..]), offset, appendTime ?? timestamp));
            }
        }
    }

    private StoredRecord ReadRecord(ReadOnlyMemory<byte> body, long offset, long timestamp)
    {
        var position = 0;
        var key = ReadBytes(body, ref position);
        var value = ReadBytes(body, ref position);
        var count = (int)Varint.Read(body.Span, ref position);
        var headers = count == 0 ? [] : new LogHeader[count];
        for (var i = 0; i < headers.Length; i++)
        {
            var name = _names.NameOf((ReadBytes(body, ref position) ?? default).Span);
            headers[i] = new(name, ReadBytes(body, ref position));
        }

        return new() { Offset = offset, TimestampMilliseconds = timestamp, Key = key, Value = value, Headers = headers };
    }
}
