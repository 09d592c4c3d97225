using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// The <see cref="PartitionMap"/> of the active silos of the cluster that own partitions (<see cref="PartitionMapMetadata"/>). A silo whose metadata is not known yet is
/// left out until it is, so that an edge never owns a partition for a moment; after <see cref="MetadataPatience"/> it counts as a silo without metadata.
/// </summary>
internal sealed partial class ClusterPartitionMapSource(
    IClusterMembershipService membership, IServiceProvider services, TimeProvider time, ILogger<ClusterPartitionMapSource> logger)
    : IPartitionMapSource, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan MetadataPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MetadataPollPeriod = TimeSpan.FromMilliseconds(50);

    private readonly ISiloMetadataCache? _metadata = services.GetService<ISiloMetadataCache>();
    private readonly Dictionary<SiloAddress, long> _unknownSince = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private volatile PartitionMap _current = new([]);
    private Task _listening = Task.CompletedTask;

    public PartitionMap Current => _current;

    public event Action? Changed;

    public void Participate(ISiloLifecycle lifecycle)
        => lifecycle.Subscribe(nameof(ClusterPartitionMapSource), ServiceLifecycleStage.RuntimeServices, Start, Stop);

    public void Dispose() => _stop.Dispose();

    private Task Start(CancellationToken cancellationToken)
    {
        _listening = Task.Run(ListenAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task Stop(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _listening.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ListenAsync()
    {
        var waiting = Task.CompletedTask;
        try
        {
            await foreach (var _ in membership.MembershipUpdates.WithCancellation(_stop.Token))
            {
                if (!Update() && waiting.IsCompleted)
                {
                    waiting = WaitForMetadataAsync();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }

        await waiting;
    }

    // Orleans fetches metadata after a membership change and says nothing when it has it.
    private async Task WaitForMetadataAsync()
    {
        do
        {
            await Task.Delay(MetadataPollPeriod, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!_stop.IsCancellationRequested && !Update());
    }

    /// <returns>Whether the roles of all silos are known.</returns>
    private bool Update()
    {
        bool isComplete;
        lock (_lock)
        {
            var owners = new List<SiloAddress>();
            var active = membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress).ToArray();
            foreach (var silo in active)
            {
                if (OwnsPartitions(silo))
                {
                    owners.Add(silo);
                }
            }

            foreach (var gone in _unknownSince.Keys.Except(active).ToArray())
            {
                _unknownSince.Remove(gone);
            }

            isComplete = _unknownSince.Values.All(IsOverdue);
            var map = new PartitionMap(owners);
            if (map.Silos.SequenceEqual(_current.Silos))
            {
                return isComplete;
            }

            _current = map;
        }

        LogChanged(string.Join(", ", _current.Silos));
        Changed?.Invoke();
        return isComplete;
    }

    private bool OwnsPartitions(SiloAddress silo)
    {
        if (_metadata is null)
        {
            return true;
        }

        var metadata = _metadata.GetSiloMetadata(silo);
        if (ReferenceEquals(metadata, SiloMetadata.Empty))
        {
            if (!_unknownSince.TryGetValue(silo, out var since))
            {
                _unknownSince[silo] = since = time.GetTimestamp();
            }

            return IsOverdue(since);
        }

        _unknownSince.Remove(silo);
        return PartitionMapMetadata.HasRole(metadata.Metadata, PartitionMapMetadata.SiloRole);
    }

    private bool IsOverdue(long since) => time.GetElapsedTime(since) >= MetadataPatience;

    [LoggerMessage(Level = LogLevel.Information, Message = "Partitions belong to the silos {Silos}.")]
    private partial void LogChanged(string silos);
}
