using System.Collections.Concurrent;
using System.Net;
using Orleans.Runtime;
using OrleansMqtt.Edge;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Tests;

/// <summary>
/// The grains as an edge sees them: records what the edge asks for, lets a test hold the log's and the session's answers, and delivers to subscribers of exactly the topic.
/// </summary>
internal sealed class FakeGrains : IEdgeGrains
{
    private readonly ConcurrentDictionary<string, FakeTopicGrain> _topics = new();
    private readonly ConcurrentDictionary<string, FakeClientGrain> _clients = new();
    private readonly ConcurrentDictionary<int, FakeRetainedGrain> _retained = new();
    private readonly Lock _gate = new();
    private readonly List<string> _calls = [];
    private readonly List<(TaskCompletionSource Source, Func<bool> Condition)> _waiters = [];
    private long _sequence;
    private int _slot;

    public SiloAddress Edge { get; } = SiloAddress.New(IPAddress.Loopback, 1, 1);

    /// <summary>Set by the host.</summary>
    public EdgeContext Context { get; set; } = null!;

    /// <summary>The other edges: none, unless a test names some.</summary>
    public FakeDirectory Directory { get; } = new();

    /// <summary>Whether appends wait for the test to settle them.</summary>
    public bool HoldsAppends { get; set; }

    /// <summary>What a call throws instead of working.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Set to make the answer to CONNECT wait.</summary>
    public TaskCompletionSource? ConnectGate { get; set; }

    /// <summary>The owner of the sessions.</summary>
    public long Generation { get; set; } = 1;

    /// <summary>Set to make SUBSCRIBE wait.</summary>
    public TaskCompletionSource? SubscribeGate { get; set; }

    /// <summary>The published messages, in the order that they were handed over.</summary>
    public List<MqttMessage> Published { get; } = [];

    /// <summary>Appends that wait for the test.</summary>
    public List<(IAppendCompletion Completion, long State)> Held { get; } = [];

    public List<Acknowledgement> Acknowledgements { get; } = [];

    /// <summary>The owners' generations that the batches of acknowledgements were for.</summary>
    public List<long> AcknowledgedGenerations { get; } = [];

    /// <summary>Set to make QoS 2 calls wait.</summary>
    public TaskCompletionSource? QoS2Gate { get; set; }

    /// <summary>Acknowledgements arrive when it is set.</summary>
    public TaskCompletionSource? AcknowledgeGate { get; set; }

    /// <summary>The QoS 2 calls, as their items were when the call came.</summary>
    public List<InboundQoS2[]> QoS2Batches { get; } = [];

    /// <summary>QoS 2 calls under way.</summary>
    public int QoS2Calls;

    /// <summary>Whether PUBREC of a client is answered with PUBREL.</summary>
    public bool CompletesDeliveries { get; set; }

    /// <summary>What CONNECT is told.</summary>
    public bool SessionPresent { get; set; }

    /// <summary>The reason code of every subscription; null grants what is asked for.</summary>
    public byte? SubscribeCode { get; set; }

    /// <summary>The Session Expiry Interval that is granted; null grants what is asked for.</summary>
    public uint? GrantedExpiry { get; set; }

    /// <summary>Set to make calls of retained partitions wait.</summary>
    public TaskCompletionSource? RetainedGate { get; set; }

    /// <summary>What the next calls of retained partitions throw.</summary>
    public ConcurrentQueue<Exception> RetainedFailures { get; } = [];

    /// <summary>The owner of the retained partitions.</summary>
    public long RetainedGeneration { get; set; } = 1;

    /// <summary>The calls of retained partitions.</summary>
    public List<RetainedPublishBatch> RetainedBatches { get; } = [];

    public FakePartitionGrain Partition => new(this);

    public ITopicGrain GetTopic(string topic) => _topics.GetOrAdd(topic, _ => new FakeTopicGrain(this));

    public IClientSessionGrain GetClient(string clientId) => _clients.GetOrAdd(clientId, id => new FakeClientGrain(this, id, Interlocked.Increment(ref _slot)));

    public ISessionPartitionGrain GetSessionPartition(int partition) => Partition;

    public IRetainedPartitionGrain GetRetainedPartition(int partition) => _retained.GetOrAdd(partition, number => new FakeRetainedGrain(this, number));

    public IClusterStatisticsGrain GetClusterStatistics() => new FakeClusterStatisticsGrain();

    public int SessionPartitionOf(string clientId) => 0;

    public int RetainedPartitionOf(ReadOnlySpan<byte> topic) => topic.Length % 2;

    public FakeClientGrain Client(string clientId) => (FakeClientGrain)GetClient(clientId);

    public FakeClientGrain ClientOf(int slot) => _clients.Values.First(client => client.Slot == slot);

    /// <summary>Notes a call for <see cref="Calls"/>.</summary>
    public void Record(string call) => Change(() => _calls.Add(call));

    /// <summary>The calls so far, in order.</summary>
    public string[] Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    public void ClearCalls() => _calls.Clear();

    public void Change(Action change)
    {
        lock (_gate)
        {
            change();
            foreach (var waiter in _waiters.Where(waiter => waiter.Condition()).ToArray())
            {
                _waiters.Remove(waiter);
                waiter.Source.TrySetResult();
            }
        }
    }

    /// <summary>Waits until what the edge did makes the condition true.</summary>
    public async Task When(Func<bool> condition)
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (condition())
            {
                return;
            }

            _waiters.Add((source, condition));
        }

        await source.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    public void Publish(PublishBatch batch)
    {
        Change(() => Published.AddRange(batch.Messages));
        for (var i = 0; i < batch.Messages.Count; i++)
        {
            Deliver(batch.Messages[i]);
            if (HoldsAppends)
            {
                var state = batch.FirstState + i;
                Change(() => Held.Add((batch.Completion, state)));
            }
            else
            {
                batch.Completion.OnAppended(batch.FirstState + i, AppendResult.Stored(0, i));
            }
        }
    }

    /// <summary>Settles a held append.</summary>
    public void Settle(int index, string? error = null)
    {
        var (completion, state) = Held[index];
        completion.OnAppended(state, error is null ? AppendResult.Stored(0, state) : AppendResult.Failed(error));
    }

    /// <summary>Settles a held append of a record that the log never takes.</summary>
    public void Refuse(int index)
    {
        var (completion, state) = Held[index];
        completion.OnAppended(state, AppendResult.Refused("the record is too large"));
    }

    /// <summary>Sends a message to a connection, as a session partition would.</summary>
    public DeliveryResult Send(long connectionId, params (MqttMessage Message, ushort PacketId, byte QoS)[] deliveries)
    {
        var messages = new MqttMessage[deliveries.Length];
        var items = new Delivery[deliveries.Length];
        for (var i = 0; i < deliveries.Length; i++)
        {
            messages[i] = deliveries[i].Message;
            items[i] = new Delivery(connectionId, i, deliveries[i].PacketId, deliveries[i].QoS, false);
        }

        return Send(messages, items);
    }

    /// <summary>Sends a PUBREL to a connection.</summary>
    public DeliveryResult SendRelease(long connectionId, ushort packetId) => Send([], [new Delivery(connectionId, Delivery.Release, packetId, 0, false)]);

    public DeliveryResult Send(MqttMessage[] messages, Delivery[] deliveries)
    {
        lock (_topics)
        {
            return Context.Deliveries.Deliver(
                new DeliveryBatch { SessionPartition = 0, Generation = Generation, Sequence = _sequence++, Messages = [.. messages], Deliveries = [.. deliveries] });
        }
    }

    public void Deliver(MqttMessage message)
    {
        foreach (var client in _clients.Values)
        {
            if (client.Subscriptions.TryGetValue(message.Topic, out var maximum) && client.ConnectionId is { } connection)
            {
                var qos = Math.Min(maximum, message.QoS);
                Send(connection, (message, qos > 0 ? client.NextPacketId() : (ushort)0, qos));
            }
        }
    }
}
