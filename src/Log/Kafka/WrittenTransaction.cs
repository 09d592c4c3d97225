using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrleansMqtt.Log.Kafka;

/// <summary>A transaction that was committed or aborted, and may not have ended on all its partitions yet.</summary>
internal sealed class WrittenTransaction
{
    private readonly Dictionary<TopicPartitionId, long> _lastOffsets = [];

    /// <param name="partitions">The partition of each record.</param>
    /// <param name="results">Where the records are; null when it was aborted, of which the client does not tell everything.</param>
    public WrittenTransaction(IReadOnlyList<TopicPartitionId> partitions, AppendResult[]? results)
    {
        IsCommitted = results is not null;
        for (var i = 0; i < partitions.Count; i++)
        {
            ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_lastOffsets, partitions[i], out var isKnown);
            var offset = results is null ? -1 : results[i].Offset;
            last = (isKnown && last < 0) || offset < 0 ? -1 : Math.Max(last, offset);
        }
    }

    public bool IsCommitted { get; }

    /// <summary>When it was acknowledged.</summary>
    public long At { get; } = Stopwatch.GetTimestamp();

    /// <summary>Its partitions with the last offset there; -1 when it is not known.</summary>
    public IReadOnlyDictionary<TopicPartitionId, long> LastOffsets => _lastOffsets;
}
