using System.Buffers.Binary;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Kafka's default partitioner over the key of a record: murmur2, as the Java client computes it (KIP-480 for records with a key).</summary>
public static class KafkaPartitioner
{
    private const uint Multiplier = 0x5bd1e995;
    private const int Rotation = 24;
    private const uint Seed = 0x9747b28c;

    /// <summary>The partition of a key in a topic with <paramref name="count"/> partitions.</summary>
    public static int PartitionOf(ReadOnlySpan<byte> key, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return count == 1 ? 0 : (Murmur2(key) & int.MaxValue) % count;
    }

    /// <summary>The 32-bit murmur2 hash with the seed of Kafka's clients.</summary>
    public static int Murmur2(ReadOnlySpan<byte> data)
    {
        var hash = Seed ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var block = BinaryPrimitives.ReadUInt32LittleEndian(data) * Multiplier;
            block ^= block >> Rotation;
            hash = (hash * Multiplier) ^ (block * Multiplier);
            data = data[4..];
        }

        if (data.Length == 3)
        {
            hash ^= (uint)data[2] << 16;
        }

        if (data.Length >= 2)
        {
            hash ^= (uint)data[1] << 8;
        }

        if (data.Length >= 1)
        {
            hash = (hash ^ data[0]) * Multiplier;
        }

        hash = (hash ^ (hash >> 13)) * Multiplier;
        return (int)(hash ^ (hash >> 15));
    }
}
