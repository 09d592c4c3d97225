using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// Decides which silo owns a partition: a rendezvous hash over the live silos, so that a silo that comes or goes moves only its share. Immutable; every process that sees
/// the same silos decides the same.
/// </summary>
public sealed class PartitionMap
{
    private readonly SiloAddress[] _silos;
    private readonly ulong[] _seeds;

    /// <param name="silos">The live silos that own partitions, in any order.</param>
    public PartitionMap(IEnumerable<SiloAddress> silos)
    {
        _silos = [.. silos.Distinct().Order()];
        _seeds = [.. _silos.Select(silo => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(silo.ToParsableString())))];
    }

    /// <summary>The silos of the map.</summary>
    public IReadOnlyList<SiloAddress> Silos => _silos;

    /// <summary>The owner of a partition; null while there is no silo.</summary>
    public SiloAddress? GetOwner(TopicPartitionId partition)
    {
        SiloAddress? owner = null;
        ulong best = 0;
        var topic = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(partition.Topic.AsSpan()));
        for (var i = 0; i < _silos.Length; i++)
        {
            var score = Mix(_seeds[i] ^ Mix(topic + (ulong)partition.Partition));
            if (owner is null || score > best)
            {
                (owner, best) = (_silos[i], score);
            }
        }

        return owner;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
