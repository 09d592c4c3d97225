using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>
/// The calls of one transaction: what is written for them, and which result belongs to which of their records. A record of the store's own partition that a later one of
/// the same key supersedes is not written, and has the position of the one that is.
/// </summary>
internal sealed class StoreTransaction
{
    private readonly List<int> _positions = [];

    /// <param name="ownTopic">The store's topic; null when all records are written.</param>
    /// <param name="commits">The calls.</param>
    public StoreTransaction(string? ownTopic, IReadOnlyList<PendingCommit> commits)
    {
        Commits = commits;
        var count = commits.Sum(commit => commit.Records.Length);
        Dictionary<ReadOnlyMemory<byte>, int> newest = new(KeyComparer.Instance);
        var supersededBy = new int[count];
        var index = 0;
        foreach (var commit in commits)
        {
            foreach (ref readonly var record in commit.Records.AsSpan())
            {
                supersededBy[index] = -1;
                if (record.Topic == ownTopic)
                {
                    if (newest.TryGetValue(record.Record.Key, out var earlier))
                    {
                        supersededBy[earlier] = index;
                    }

                    // A record that is kept anyway is not remembered: nothing supersedes it.
                    if (record.IsKept)
                    {
                        newest.Remove(record.Record.Key);
                    }
                    else
                    {
                        newest[record.Record.Key] = index;
                    }
                }

                index++;
            }
        }

        Records = new(count);
        index = 0;
        foreach (var commit in commits)
        {
            foreach (ref readonly var record in commit.Records.AsSpan())
            {
                _positions.Add(Records.Count);
                if (supersededBy[index++] < 0)
                {
                    Records.Add(new(record.Topic, record.Record));
                }
            }
        }

        for (index = count - 1; index >= 0; index--)
        {
            if (supersededBy[index] >= 0)
            {
                _positions[index] = _positions[supersededBy[index]];
            }
        }
    }

    public IReadOnlyList<PendingCommit> Commits { get; }

    public List<TopicRecord> Records { get; }

    public void Complete(AppendResult[] written)
    {
        var index = 0;
        foreach (var commit in Commits)
        {
            var results = new AppendResult[commit.Records.Length];
            for (var i = 0; i < results.Length; i++)
            {
                results[i] = written[_positions[index++]];
            }

            commit.TrySetResult(results);
        }
    }
}
