using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A request under construction: its length, its header (version 1, or 2 where it is flexible) and its body. Used again for the next one.</summary>
internal sealed class WireWriter
{
    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>The whole request.</summary>
    public ReadOnlySpan<byte> Frame
    {
        get
        {
            BinaryPrimitives.WriteInt32BigEndian(_buffer, _length - sizeof(int));
            return _buffer.AsSpan(0, _length);
        }
    }

    public void Start(WireApi api, int correlationId, string clientId)
    {
        _length = sizeof(int);
        WriteInt16(api.Key);
        WriteInt16(api.Version);
        WriteInt32(correlationId);
        WriteString(clientId);
        if (api.IsFlexible)
        {
            WriteNoTags();
        }
    }

    public void WriteInt8(byte value) => Take(1)[0] = value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Take(sizeof(long)), value);

    public void WriteNull() => WriteInt16(-1);

    public void WriteString(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        WriteInt16((short)length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    /// <summary>A string that is encoded already.</summary>
    public void WriteString(ReadOnlySpan<byte> value)
    {
        WriteInt16((short)value.Length);
        value.CopyTo(Take(value.Length));
    }

    /// <summary>The number of elements that follow, or of bytes, in a flexible request.</summary>
    public void WriteCompactCount(int count)
    {
        var rest = (uint)count + 1;
        while (rest >= 0x80)
        {
            WriteInt8((byte)(rest | 0x80));
            rest >>= 7;
        }

        WriteInt8((byte)rest);
    }

    public void WriteCompactString(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        WriteCompactCount(length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    public void WriteGuid(Guid value) => value.TryWriteBytes(Take(16), bigEndian: true, out _);

    /// <summary>The end of each structure of a flexible request.</summary>
    public void WriteNoTags() => WriteInt8(0);

    /// <summary>Partitions by topic, in a request that is not flexible.</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="writeRest">Writes what the request has behind each number of a partition; null for nothing.</param>
    public void WriteTopics(IEnumerable<TopicPartitionId> partitions, Action<WireWriter>? writeRest = null)
    {
        var topics = partitions.GroupBy(partition => partition.Topic).ToArray();
        WriteInt32(topics.Length);
        foreach (var topic in topics)
        {
            WriteString(topic.Key);
            WriteInt32(topic.Count());
            foreach (var partition in topic)
            {
                WriteInt32(partition.Partition);
                writeRest?.Invoke(this);
            }
        }
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteInt32(value.Length);
        value.CopyTo(Take(value.Length));
    }

    private Span<byte> Take(int size)
    {
        if (_buffer.Length - _length < size)
        {
            Array.Resize(ref _buffer, (int)Math.Min(Array.MaxLength, Math.Max((long)_length + size, _buffer.Length * 2L)));
        }

        var result = _buffer.AsSpan(_length, size);
        _length += size;
        return result;
    }
}
