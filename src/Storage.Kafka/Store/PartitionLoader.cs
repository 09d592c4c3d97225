using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>Reads a compacted partition and finds the newest value of each key.</summary>
internal static class PartitionLoader
{
    private const int StretchRecords = 20_000;

    /// <summary>Hands on the entries that are there now, by offset.</summary>
    /// <returns>The end of what was read.</returns>
    public static async Task<long> LoadAsync(IMessageLog log, TopicPartitionId partition, Action<StoreEntry> load, CancellationToken cancellationToken)
    {
        Dictionary<ReadOnlyMemory<byte>, StoredRecord> newest = new(KeyComparer.Instance);
        var (position, end) = (await log.GetOffsetsAsync([partition], cancellationToken))[0];
        while (position < end)
        {
            // The last offsets can be markers without a record: the stretch says how far it reaches.
            var batch = await log.ReadRangeAsync(partition.Topic, partition.Partition, position, StretchRecords, cancellationToken);
            position = batch.To;
            foreach (var record in batch.Records)
            {
                if (record.Key is not { } key)
                {
                    continue;
                }

                if (record.Value is null)
                {
                    newest.Remove(key);
                }
                else
                {
                    newest[key] = record;
                }
            }
        }

        foreach (var record in newest.Values.OrderBy(record => record.Offset))
        {
            load(new(record.Key!.Value, record.Value!.Value, record.Offset));
        }

        return position;
    }
}
