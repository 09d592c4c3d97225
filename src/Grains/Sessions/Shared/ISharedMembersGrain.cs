namespace OrleansMqtt.Grains;

/// <summary>The members of groups whose sessions belong to a sessions partition (the key).</summary>
internal interface ISharedMembersGrain : IGrainWithIntegerKey
{
    /// <summary>Offers messages to members; what becomes of them comes by <see cref="ISharedGroupOwnerGrain.Report"/>. One call at a time from each partition of groups.</summary>
    /// <returns>The numbers of the leases that are refused, because the member is not there any more: nothing of them was sent, nor will be.</returns>
    ValueTask<long[]> TakeLeases([Immutable] LeaseBatch batch);

    /// <summary>A partition of groups has a new owner, which knows no member. Only enqueues; the members follow.</summary>
    ValueTask RequestMembers(int groupPartition, long generation);
}
