namespace OrleansMqtt.Log.Embedded;

/// <summary>An owner is an epoch in the <c>owners</c> table: the writer compares it before it writes anything of a transaction.</summary>
internal sealed class EmbeddedOwner(EmbeddedLog log, string name, long epoch) : ILogOwner
{
    public Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var partitions = new EmbeddedPartition[records.Count];
        for (var i = 0; i < partitions.Length; i++)
        {
            partitions[i] = log.PartitionOf(records[i].Topic, records[i].Record);
        }

        var startedAt = System.Diagnostics.Stopwatch.GetTimestamp();
        var results = log.Writer.ExecuteAsync(writer =>
        {
            if (log.Owners.GetValueOrDefault(name) != epoch)
            {
                throw new OwnerFencedException(name);
            }

            var appended = new AppendResult[partitions.Length];
            for (var i = 0; i < appended.Length; i++)
            {
                appended[i] = AppendResult.Stored(partitions[i].Name.Partition, writer.Batches.Add(partitions[i], records[i].Record));
            }

            return appended;
        });
        log.Metrics.RecordTransaction(startedAt);
        return results;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
