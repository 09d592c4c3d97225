using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

// Shared subscriptions: the groups whose names belong to the partition, and the memberships of its sessions, whose groups may be anywhere.
internal sealed partial class SessionPartitionGrain : ISharedGroupOwnerGrain, ISharedMembersGrain
{
    private SharedGroups _groups = null!;
    private SharedMemberships _memberships = null!;
    private GroupLink[] _groupLinks = [];

    public async ValueTask<ReportResult> Report(GroupReport report)
    {
        // A group that starts is told to the routers, and what is told must hold all that edges hand over.
        await _handedOver.Task;
        return _groups.Report(report);
    }

    public ValueTask<bool> WaitForStart(string group, string clientId, long member) => _groups.WaitForStart(group, clientId, member);

    public async ValueTask<long[]> TakeLeases(LeaseBatch batch)
    {
        await _handedOver.Task;
        return _memberships.Take(batch);
    }

    public ValueTask RequestMembers(int groupPartition, long generation)
    {
        var link = _groupLinks[groupPartition];
        link.OwnerStarted(generation);
        if (_handedOver.Task.IsCompleted)
        {
            // Else the members that are handed over would be missing.
            link.Flush();
        }

        return ValueTask.CompletedTask;
    }

    private void CreateSharing(TopicPartitionId[] sources)
    {
        var count = partitions.Count;
        _groupLinks = [.. Enumerable.Range(0, count).Select(CreateGroupLink)];
        _memberships = new(_sessions, _store, _sender, _linksBySource, _groupLinks, name => partitions.Of(name).Partition, _generation);
        SharedGroupsContext context = new(
            _partition, _generation, count, sources, clientId => partitions.Of(clientId).Partition, partition => GrainFactory.GetGrain<ISharedMembersGrain>(partition),
            options.Value.MaximumQueuedSharedMessages);
        _groups = new(context, _sources, _subscriptions, _store, _sender, _delivery, logger);
        _sender.Flushed = () =>
        {
            _groups.Flush();
            _memberships.Flush();
        };
    }

    private GroupLink CreateGroupLink(int groupPartition) =>
        new(groupPartition, _partition, _generation, GrainFactory.GetGrain<ISharedGroupOwnerGrain>(groupPartition), logger)
        {
            OwnerLost = link => _memberships.OwnerLost(link),
            Superseded = DeactivateOnIdle,
        };

    /// <summary>All partitions hear which members there are here, and are asked for the members of the groups here.</summary>
    private async Task StartSharing()
    {
        // Outside of this turn: an activation waits for no other grain.
        await Task.Yield();
        _memberships.Flush();
        for (var partition = 0; partition < _groupLinks.Length; partition++)
        {
            AskForMembers(partition).Ignore();
        }
    }

    private async Task AskForMembers(int partition)
    {
        var members = GrainFactory.GetGrain<ISharedMembersGrain>(partition);
        for (var attempt = 0; attempt < 50; attempt++)
        {
            try
            {
                await members.RequestMembers(_partition, _generation);
                return;
            }
            catch (Exception exception)
            {
                LogAskFailed(exception, _partition, partition);
                await Task.Delay(200);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not ask partition {Members} for members of shared subscriptions")]
    private partial void LogAskFailed(Exception exception, int sessionPartition, int members);
}
