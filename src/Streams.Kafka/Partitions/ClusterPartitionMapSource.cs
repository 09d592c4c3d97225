using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// The <see cref="PartitionMap"/> of the members that own partitions and do not leave (<see cref="IMembers"/>). When all of them leave it is that of all, so that each partition has an owner to
/// the end.
/// </summary>
internal sealed partial class ClusterPartitionMapSource : IPartitionMapSource
{
    private readonly IMembers _members;
    private readonly ILogger<ClusterPartitionMapSource> _logger;
    private readonly Lock _lock = new();
    private volatile PartitionMap _current = new([]);
    private HashSet<SiloAddress> _owners = [];

    public ClusterPartitionMapSource(IMembers members, ILogger<ClusterPartitionMapSource> logger)
    {
        (_members, _logger) = (members, logger);
        members.Changed += Update;
        Update();
    }

    public PartitionMap Current => _current;

    public event Action? Changed;

    private void Update()
    {
        lock (_lock)
        {
            var owners = _members.Active.Where(static member => member.Value.OwnsPartitions).ToArray();
            var staying = Array.FindAll(owners, static member => !member.Value.IsLeaving);
            PartitionMap map = new((staying.Length > 0 ? staying : owners).Select(static member => member.Key));
            var isSame = map.Silos.SequenceEqual(_current.Silos);

            // One that was leaving may have ended before it gave everything away.
            HashSet<SiloAddress> silos = [.. owners.Select(static member => member.Key)];
            var isOneLost = !_owners.IsSubsetOf(silos);
            _owners = silos;
            if (isSame && !isOneLost)
            {
                return;
            }

            _current = map;
            if (!isSame)
            {
                LogChanged(string.Join(", ", map.Silos));
            }
        }

        Changed?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Partitions belong to the silos {Silos}.")]
    private partial void LogChanged(string silos);
}
