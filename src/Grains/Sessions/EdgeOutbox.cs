using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Grains;

/// <summary>
/// Deliveries on their way from a session partition to one edge. One batch is on its way at a time, and what comes meanwhile makes the next; so their order is certain, and a
/// busy edge gets large batches. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed partial class EdgeOutbox(
    SiloAddress edge, IEdgeService service, int sessionPartition, long generation, Func<SiloAddress, bool> isDead, ILogger logger)
{
    /// <summary>Deliveries that may wait; beyond it the windows of all sessions of the edge count as closed.</summary>
    private const int MaximumPending = 16_384;

    private List<Delivery> _deliveries = [];
    private List<MqttMessage> _messages = [];
    private List<Delivery> _spareDeliveries = [];
    private List<MqttMessage> _spareMessages = [];
    private List<int[]> _identifierSets = [];
    private List<int[]> _spareIdentifierSets = [];
    private long _sequence;
    private long _waitingSince;
    private bool _isBehind;
    private bool _isSending;
    private TaskCompletionSource? _taken;
    private TaskCompletionSource? _takenWithBatch;

    public SiloAddress Edge { get; } = edge;

    public bool IsCongested => _deliveries.Count >= MaximumPending;

    /// <summary>Called when congestion ends.</summary>
    public Action<EdgeOutbox>? Relieved { get; init; }

    /// <summary>Called when the edge's silo is dead.</summary>
    public Action<EdgeOutbox>? Died { get; init; }

    /// <summary>Called when a later owner of the partition has sent to the edge.</summary>
    public Action? Superseded { get; init; }

    public void Add(
        long connectionId, MqttMessage message, ushort packetId, byte qos, bool isDuplicate, int[]? identifiers, int source, bool isRetained = false, bool isPaced = false)
    {
        if (_messages.Count == 0 || !ReferenceEquals(_messages[^1], message))
        {
            _messages.Add(message);
        }

        if (identifiers is not null && (_identifierSets.Count == 0 || !ReferenceEquals(_identifierSets[^1], identifiers)))
        {
            _identifierSets.Add(identifiers);
        }

        Add(new(connectionId, _messages.Count - 1, packetId, qos, isDuplicate, identifiers is null ? 0 : _identifierSets.Count, isRetained, isPaced, source));
    }

    /// <summary>Adds the PUBREL of a QoS 2 message.</summary>
    public void AddRelease(long connectionId, ushort packetId, byte reasonCode) => Add(new(connectionId, Delivery.Release, packetId, reasonCode, isDuplicate: false));

    /// <summary>Adds a mark: the edge tells when all before it is written to the client.</summary>
    public void AddMark(long connectionId) => Add(new(connectionId, Delivery.Mark, 0, 0, isDuplicate: false));

    /// <summary>A group of shared subscriptions has given less than its members could take, and its mailbox fills up: the publishers of the edge are too fast for it.</summary>
    public void NoteBehind() => _isBehind = true;

    /// <summary>Completes when the edge has taken all that was added before, or is dead.</summary>
    public Task WhenTaken()
    {
        if (!_isSending && _deliveries.Count == 0)
        {
            return Task.CompletedTask;
        }

        // What is under way is taken before what waits.
        ref var taken = ref _deliveries.Count > 0 ? ref _taken : ref _takenWithBatch;
        taken ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        return taken.Task;
    }

    /// <summary>Nothing is sent to a dead edge any more.</summary>
    public void Abandon()
    {
        _takenWithBatch?.TrySetResult();
        _taken?.TrySetResult();
    }

    /// <summary>Sends what waits, unless a batch is on its way; then it follows.</summary>
    public void Flush()
    {
        if (!_isSending && _deliveries.Count > 0)
        {
            Send().Ignore();
        }
    }

    private void Add(in Delivery delivery)
    {
        if (_deliveries.Count == 0)
        {
            _waitingSince = Stopwatch.GetTimestamp();
        }

        _deliveries.Add(delivery);
    }

    private async Task Send()
    {
        _isSending = true;
        while (_deliveries.Count > 0)
        {
            var wasCongested = IsCongested;
            (_takenWithBatch, _taken) = (_taken, null);
            var (deliveries, messages, identifierSets) = (_deliveries, _messages, _identifierSets);
            (_deliveries, _messages, _identifierSets) = (_spareDeliveries, _spareMessages, _spareIdentifierSets);
            DeliveryBatch batch = new()
            {
                SessionPartition = sessionPartition,
                Generation = generation,
                Sequence = _sequence++,
                Deliveries = deliveries,
                Messages = messages,
                Waited = Stopwatch.GetElapsedTime(_waitingSince),
                IsBehind = _isBehind,
                IdentifierSets = identifierSets.Count > 0 ? identifierSets : null,
            };
            _isBehind = false;
            GrainInstruments.Delivered.Add(deliveries.Count);
            if (!await Send(batch))
            {
                // The edge is gone, or the partition: nothing is sent any more.
                return;
            }

            _takenWithBatch?.TrySetResult();
            deliveries.Clear();
            messages.Clear();
            identifierSets.Clear();
            (_spareDeliveries, _spareMessages, _spareIdentifierSets) = (deliveries, messages, identifierSets);
            if (wasCongested)
            {
                Relieved?.Invoke(this);
            }
        }

        _isSending = false;
    }

    private async Task<bool> Send(DeliveryBatch batch)
    {
        for (var isRetry = false; ; isRetry = true)
        {
            try
            {
                switch (await service.Deliver(batch))
                {
                    case DeliveryResult.Accepted:
                    case DeliveryResult.OutOfSequence when isRetry:
                        return true;
                    case var result:
                        LogRefused(Edge, sessionPartition, batch.Sequence, result);
                        Superseded?.Invoke();
                        return false;
                }
            }
            catch (Exception exception)
            {
                if (isDead(Edge))
                {
                    Abandon();
                    Died?.Invoke(this);
                    return false;
                }

                LogFailed(exception, Edge, sessionPartition, batch.Sequence);
                await Task.Delay(100);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edge {Edge} refused batch {Sequence} of session partition {SessionPartition}: {Result}")]
    private partial void LogRefused(SiloAddress edge, int sessionPartition, long sequence, DeliveryResult result);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edge {Edge} did not take batch {Sequence} of session partition {SessionPartition}; it is sent again")]
    private partial void LogFailed(Exception exception, SiloAddress edge, int sessionPartition, long sequence);
}
