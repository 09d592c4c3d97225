namespace OrleansMqtt.Grains;

/// <summary>What session partitions and the owners of other retained partitions ask of the owner of a retained partition (the key).</summary>
internal interface IRetainedViewGrain : IGrainWithIntegerKey
{
    /// <summary>Begins to load, unless it has.</summary>
    ValueTask Start();

    /// <summary>Reads the next retained messages that match a filter, in the order of their offsets.</summary>
    ValueTask<RetainedPage> Read([Immutable] RetainedQuery query);

    /// <summary>
    /// Tells the partition that topics belong to, where other producers have put (or deleted) messages of them on another one: of the same topic the newest counts, and a delete goes
    /// to all.
    /// </summary>
    ValueTask NoteStrays(int partition, [Immutable] StrayRecord[] records);

    /// <summary>Asks for all that <see cref="NoteStrays"/> would have told a partition. Only enqueues.</summary>
    ValueTask RequestStrays(int partition);

    /// <summary>Of messages on another partition, whose topics belong to this one: whether there is a newer one of the topic elsewhere.</summary>
    ValueTask<bool[]> HaveNewer(int partition, [Immutable] StrayRecord[] records);
}
