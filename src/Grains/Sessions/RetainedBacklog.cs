namespace OrleansMqtt.Grains;

/// <summary>The retained messages that a session's subscriptions found and that are still to come, as cursors: one after the other is sent, page by page.</summary>
internal sealed class RetainedBacklog
{
    private readonly List<RetainedCursor> _cursors = [];

    public RetainedCursor? Current => _cursors.Count == 0 ? null : _cursors[0];

    public IReadOnlyList<RetainedCursor> All => _cursors;

    /// <summary>Whether a page is on its way here.</summary>
    public bool IsReading { get; set; }

    /// <summary>Whether the edge has not yet told that the last page is written to the client.</summary>
    public bool AwaitsMark { get; set; }

    /// <summary>The number in the mailbox behind the last page's references: the next page comes when they are taken out.</summary>
    public long MailboxEnd { get; set; }

    /// <summary>Takes what a session has stored.</summary>
    public static RetainedBacklog? Load(StoredCursor[] stored, SourceNumbers sources)
    {
        RetainedBacklog? backlog = null;
        foreach (var (filter, ranges) in stored)
        {
            RetainedCursor cursor = new(filter, sources.RetainedCount) { SkipsQoS0 = true, IsStale = true };
            foreach (var (source, from, before) in ranges)
            {
                if (sources.LinkOf(source) - sources.FirstRetained is >= 0 and var partition)
                {
                    cursor.Set(partition, from, before);
                }
            }

            (backlog ??= new()).Add(cursor);
        }

        return backlog;
    }

    /// <summary>Adds a cursor; an earlier one of the same subscription has nothing to add to it.</summary>
    public void Add(RetainedCursor cursor)
    {
        Remove(cursor.Filter);
        _cursors.Add(cursor);
    }

    public void Remove(string filter) => _cursors.RemoveAll(cursor => cursor.Filter == filter);

    public void Remove(RetainedCursor cursor) => _cursors.Remove(cursor);

    /// <summary>The connection has ended: what was on its way to it is not waited for.</summary>
    public void Interrupt() => AwaitsMark = false;

    public StoredCursor[] Store(SourceNumbers sources) => [.. _cursors.Select(cursor => new StoredCursor(
        cursor.Filter,
        [.. Enumerable.Range(0, sources.RetainedCount)
            .Where(partition => cursor.From(partition) < cursor.Before(partition))
            .Select(partition => (sources.OfLinks[sources.FirstRetained + partition], cursor.From(partition), cursor.Before(partition)))]))];
}
