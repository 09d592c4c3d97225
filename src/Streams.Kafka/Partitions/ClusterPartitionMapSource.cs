using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// The <see cref="PartitionMap"/> of the members that own partitions and do not leave (<see cref="IMembers"/>). When all of them leave, they keep what they have, so that each partition has an
/// owner to the end.
/// </summary>
internal sealed partial class ClusterPartitionMapSource : IPartitionMapSource
{
    private readonly IMembers _members;
    private readonly ILogger<ClusterPartitionMapSource> _logger;
    private readonly Lock _lock = new();
    private volatile PartitionMap _current = new([]);

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
            if (map.Silos.SequenceEqual(_current.Silos))
            {
                return;
            }

            _current = map;
        }

        LogChanged(string.Join(", ", _current.Silos));
        Changed?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Partitions belong to the silos {Silos}.")]
    private partial void LogChanged(string silos);
}
