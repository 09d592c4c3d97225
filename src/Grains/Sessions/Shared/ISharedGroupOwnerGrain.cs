namespace OrleansMqtt.Grains;

/// <summary>
/// The groups of shared subscriptions whose names belong to a sessions partition (the key). A group gets the messages of its filter once, and leases each to one member. Calls
/// of the members' partitions only change what is known here; nothing is awaited that leads back to them.
/// </summary>
internal interface ISharedGroupOwnerGrain : IGrainWithIntegerKey
{
    /// <summary>Takes what has changed with the members and leases of one partition. One call at a time from each partition.</summary>
    ValueTask<ReportResult> Report([Immutable] GroupReport report);

    /// <summary>Returns when the group counts: a message published after that is delivered, also after a crash if a member is stored. False when the group does not have the member.</summary>
    ValueTask<bool> WaitForStart(string group, string clientId, long member);
}
