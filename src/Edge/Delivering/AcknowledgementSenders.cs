using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>The sender of each session partition.</summary>
internal sealed class AcknowledgementSenders(IEdgeGrains grains, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<int, AcknowledgementSender> _senders = new();

    public AcknowledgementSender Get(int partition)
        => _senders.TryGetValue(partition, out var sender)
            ? sender
            : _senders.GetOrAdd(partition, static (partition, self) => self.Create(partition), this);

    private AcknowledgementSender Create(int partition) => new(grains, partition, time, logger);
}
