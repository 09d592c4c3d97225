using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// A record batch (format 2) as it goes to the broker, filled record by record, and who is told of each record's outcome. Used again: a record costs no memory of its own.
/// </summary>
internal sealed class AppendBatch
{
    public const int HeaderSize = 61;
    private const int LengthAt = 8;
    private const int MagicAt = 16;
    private const int ChecksumAt = 17;
    private const int AttributesAt = 21;
    private const int LastOffsetDeltaAt = 23;
    private const int BaseTimestampAt = 27;
    private const int MaximumTimestampAt = 35;
    private const int ProducerIdAt = 43;
    private const int EpochAt = 51;
    private const int SequenceAt = 53;
    private const int CountAt = 57;
    private const int LargestKeptBuffer = 64 * 1024;
    private byte[] _buffer = [];
    private IAppendCompletion[] _completions = new IAppendCompletion[16];
    private long[] _states = new long[16];
    private int _length = HeaderSize;
    private long _baseTimestamp;
    private long _maximumTimestamp;

    public int Count { get; private set; }

    public int Size => _length;

    /// <summary>Bytes of keys and values.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>When its first record came, for the duration of appends; 0 when nobody measures.</summary>
    public long StartedAt { get; set; }

    /// <summary>Whether it carries a producer's sequence, with which it is tried again until its outcome is known.</summary>
    public bool IsAssigned { get; private set; }

    public int Sequence { get; private set; }

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Empties it. Large buffers go back to the pool, <paramref name="expectedSize"/> is made ready.</summary>
    public void Reset(int expectedSize)
    {
        Array.Clear(_completions, 0, Count);
        (Count, _length, ContentBytes, IsAssigned, StartedAt) = (0, HeaderSize, 0, false, 0);
        if (_buffer.Length > LargestKeptBuffer || _buffer.Length < expectedSize)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = expectedSize == 0 ? [] : ArrayPool<byte>.Shared.Rent(expectedSize);
        }
    }

    /// <summary>Bytes of a batch that holds this record alone: what Kafka compares with the <c>max.message.bytes</c> of a topic.</summary>
    public static int SizeOf(in LogRecord record)
    {
        var body = SizeOf(record, timestampDelta: 0, offsetDelta: 0);
        return HeaderSize + Varint.SizeOf(body) + body;
    }

    /// <summary>Adds a record; false when the batch would become larger than <paramref name="limit"/>, unless the record is its first.</summary>
    public bool TryAppend(in LogRecord record, long timestamp, int limit, IAppendCompletion completion, long state)
    {
        if (Count == 0)
        {
            _baseTimestamp = _maximumTimestamp = timestamp;
        }

        var body = SizeOf(record, timestamp - _baseTimestamp, Count);
        var size = Varint.SizeOf(body) + body;
        if (Count > 0 && _length + size > limit)
        {
            return false;
        }

        var target = Take(size);
        var position = Varint.Write(target, 0, body);
        target[position++] = 0;
        position = Varint.Write(target, position, timestamp - _baseTimestamp);
        position = Varint.Write(target, position, Count);
        position = WriteBytes(target, position, record.Key.Span);
        position = record.Value is { } value ? WriteBytes(target, position, value.Span) : Varint.Write(target, position, -1);
        var headers = record.Headers ?? [];
        position = Varint.Write(target, position, headers.Length);
        foreach (ref readonly var header in headers.AsSpan())
        {
            var name = header.Name;
            var nameSize = Encoding.UTF8.GetByteCount(name);
            position = Varint.Write(target, position, nameSize);
            position += Encoding.UTF8.GetBytes(name, target[position..]);
            position = header.Value is { } headerValue ? WriteBytes(target, position, headerValue.Span) : Varint.Write(target, position, -1);
        }

        ContentBytes += record.Key.Length + (record.Value?.Length ?? 0);
        Add(timestamp, completion, state);
        return true;
    }

    /// <summary>Gives it the producer's identity and the sequence of its first record, and completes it. It does not change any more.</summary>
    public void Assign(long producerId, short epoch, int sequence)
    {
        (Sequence, IsAssigned) = (sequence, true);
        var target = _buffer.AsSpan(0, _length);
        target[..MagicAt].Clear();
        BinaryPrimitives.WriteInt32BigEndian(target[LengthAt..], _length - LengthAt - sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(target[(LengthAt + sizeof(int))..], -1);
        target[MagicAt] = 2;
        BinaryPrimitives.WriteInt16BigEndian(target[AttributesAt..], 0);
        BinaryPrimitives.WriteInt32BigEndian(target[LastOffsetDeltaAt..], Count - 1);
        BinaryPrimitives.WriteInt64BigEndian(target[BaseTimestampAt..], _baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(target[MaximumTimestampAt..], _maximumTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(target[ProducerIdAt..], producerId);
        BinaryPrimitives.WriteInt16BigEndian(target[EpochAt..], epoch);
        BinaryPrimitives.WriteInt32BigEndian(target[SequenceAt..], sequence);
        BinaryPrimitives.WriteInt32BigEndian(target[CountAt..], Count);
        BinaryPrimitives.WriteUInt32BigEndian(target[ChecksumAt..], Crc32C.Compute(target[AttributesAt..]));
    }

    /// <summary>Takes the identity away: its next attempt has another.</summary>
    public void Unassign() => IsAssigned = false;

    /// <summary>Tells everybody that the records are stored from an offset on; -1 when it is not known.</summary>
    public void Complete(int partition, long baseOffset, ILogger logger)
    {
        for (var i = 0; i < Count; i++)
        {
            Tell(i, AppendResult.Stored(partition, baseOffset < 0 ? -1 : baseOffset + i), logger);
        }
    }

    /// <summary>Tells everybody that the records are not stored.</summary>
    public void Fail(in AppendResult result, ILogger logger)
    {
        for (var i = 0; i < Count; i++)
        {
            Tell(i, result, logger);
        }
    }

    /// <summary>Copies its halves to two empty batches.</summary>
    public void SplitTo(AppendBatch first, AppendBatch second)
    {
        var position = HeaderSize;
        for (var i = 0; i < Count; i++)
        {
            var target = i < Count / 2 ? first : second;
            var body = (int)Varint.Read(_buffer, ref position);
            target.Copy(_buffer.AsSpan(position, body), _baseTimestamp, _completions[i], _states[i]);
            position += body;
        }

        (first.StartedAt, second.StartedAt) = (StartedAt, StartedAt);
    }

    private static int SizeOf(in LogRecord record, long timestampDelta, int offsetDelta)
    {
        var size = 1 + Varint.SizeOf(timestampDelta) + Varint.SizeOf(offsetDelta) + SizeOf(record.Key.Length) + (record.Value is { } value ? SizeOf(value.Length) : 1);
        var headers = record.Headers ?? [];
        size += Varint.SizeOf(headers.Length);
        foreach (ref readonly var header in headers.AsSpan())
        {
            size += SizeOf(Encoding.UTF8.GetByteCount(header.Name)) + (header.Value is { } headerValue ? SizeOf(headerValue.Length) : 1);
        }

        return size;
    }

    private static int SizeOf(int length) => Varint.SizeOf(length) + length;

    private static int WriteBytes(Span<byte> target, int position, ReadOnlySpan<byte> bytes)
    {
        position = Varint.Write(target, position, bytes.Length);
        bytes.CopyTo(target[position..]);
        return position + bytes.Length;
    }

    /// <summary>Adds a record of another batch: only its place changes.</summary>
    private void Copy(ReadOnlySpan<byte> body, long baseTimestamp, IAppendCompletion completion, long state)
    {
        var position = 1;
        var timestamp = baseTimestamp + Varint.Read(body, ref position);
        _ = Varint.Read(body, ref position);
        var rest = body[position..];
        if (Count == 0)
        {
            _baseTimestamp = _maximumTimestamp = timestamp;
        }

        var size = 1 + Varint.SizeOf(timestamp - _baseTimestamp) + Varint.SizeOf(Count) + rest.Length;
        var target = Take(Varint.SizeOf(size) + size);
        var at = Varint.Write(target, 0, size);
        target[at++] = 0;
        at = Varint.Write(target, at, timestamp - _baseTimestamp);
        at = Varint.Write(target, at, Count);
        rest.CopyTo(target[at..]);
        ContentBytes += rest.Length;
        Add(timestamp, completion, state);
    }

    private void Add(long timestamp, IAppendCompletion completion, long state)
    {
        if (Count == _states.Length)
        {
            Array.Resize(ref _states, Count * 2);
            Array.Resize(ref _completions, Count * 2);
        }

        _maximumTimestamp = Math.Max(_maximumTimestamp, timestamp);
        _completions[Count] = completion;
        _states[Count++] = state;
    }

    /// <summary>A caller that throws, which none may, does not keep the others from being told.</summary>
    private void Tell(int index, in AppendResult result, ILogger logger)
    {
        try
        {
            _completions[index].OnAppended(_states[index], result);
        }
        catch (Exception exception)
        {
            logger.LogCompletionFailed(exception);
        }
    }

    private Span<byte> Take(int size)
    {
        if (_buffer.Length - _length < size)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max((long)_length + size, Math.Max(2048, _buffer.Length * 2L))));
            _buffer.AsSpan(0, Math.Min(_length, _buffer.Length)).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        var result = _buffer.AsSpan(_length, size);
        _length += size;
        return result;
    }
}
