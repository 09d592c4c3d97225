using System.Collections.Concurrent;
using System.Net;
using Orleans.Runtime;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>
/// Grains for millions of connections: they keep only what the living ones need. Each connection has a session of its own, and only topics of the witness are delivered.
/// </summary>
internal sealed class FuzzGrains : IEdgeGrains, ISessionPartitionGrain, IRetainedPartitionGrain
{
    public const string WitnessTopics = "witness/";

    private readonly ConcurrentDictionary<long, FuzzSession> _sessions = new();
    private readonly Lock _gate = new();
    private long _sequence;

    public SiloAddress Edge { get; } = SiloAddress.New(IPAddress.Loopback, 1, 1);

    /// <summary>Set by the host.</summary>
    public EdgeContext Context { get; set; } = null!;

    public int Sessions => _sessions.Count;

    public ITopicGrain GetTopic(string topic) => new FuzzTopic(this, topic);

    public IClientSessionGrain GetClient(string clientId) => new FuzzClient(this);

    public ISessionPartitionGrain GetSessionPartition(int partition) => this;

    public IRetainedPartitionGrain GetRetainedPartition(int partition) => this;

    public IClusterStatisticsGrain GetClusterStatistics() => new FakeClusterStatisticsGrain();

    public int SessionPartitionOf(string clientId) => 0;

    public int RetainedPartitionOf(ReadOnlySpan<byte> topic) => topic.Length % 2;

    public ValueTask Acknowledge(AcknowledgementBatch batch) => default;

    public async ValueTask<InboundQoS2Outcome[]> PublishQoS2(InboundQoS2Batch batch)
    {
        await Task.Yield();
        return Array.ConvertAll(batch.Items.ToArray(), item => !_sessions.TryGetValue(item.SessionSlot, out var session) ? InboundQoS2Outcome.Stale
            : item.Message is not null ? session.Receive(item.PacketId) : session.Release(item.PacketId));
    }

    public async ValueTask<RetainedPublishResult> Publish(RetainedPublishBatch batch)
    {
        await Task.Yield();
        return new(1, Array.ConvertAll(batch.Messages.ToArray(), static _ => true));
    }

    public ValueTask Route(RoutedBatch batch) => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask RequestFilters(TopicPartitionId router, long routerGeneration) => throw new InvalidOperationException("An edge does not call this.");

    private void Deliver(MqttMessage message)
    {
        lock (_gate)
        {
            foreach (var (connection, session) in _sessions.Where(each => each.Value.IsWitness))
            {
                Context.Deliveries.Deliver(new DeliveryBatch
                {
                    SessionPartition = 0,
                    Generation = 1,
                    Sequence = _sequence++,
                    Messages = [message],
                    Deliveries = [new Delivery(connection, 0, session.NextPacketId(), 1, false)],
                });
            }
        }
    }

    private sealed class FuzzSession
    {
        private readonly HashSet<ushort> _received = [];
        private readonly HashSet<string> _filters = [];
        private int _packetId;

        public bool IsWitness { get; private set; }

        public ushort NextPacketId() => (ushort)((++_packetId % 1000) + 1);

        public void Subscribe(string filter)
        {
            _filters.Add(filter);
            IsWitness |= filter.StartsWith(WitnessTopics, StringComparison.Ordinal);
        }

        public bool Unsubscribe(string filter) => _filters.Remove(filter);

        public InboundQoS2Outcome Receive(ushort packetId)
        {
            _received.Add(packetId);
            return InboundQoS2Outcome.Done;
        }

        public InboundQoS2Outcome Release(ushort packetId) => _received.Remove(packetId) ? InboundQoS2Outcome.Done : InboundQoS2Outcome.NotFound;
    }

    private sealed class FuzzTopic(FuzzGrains grains, string topic) : ITopicGrain
    {
        public async ValueTask Publish(PublishBatch batch)
        {
            if (topic.Length % 2 == 0)
            {
                await Task.Yield();
            }

            for (var i = 0; i < batch.Messages.Count; i++)
            {
                if (topic.StartsWith(WitnessTopics, StringComparison.Ordinal))
                {
                    grains.Deliver(batch.Messages[i]);
                }

                batch.Completion.OnAppended(batch.FirstState + i, AppendResult.Stored(0, i));
            }
        }
    }

    private sealed class FuzzClient(FuzzGrains grains) : IClientSessionGrain
    {
        public ValueTask<ConnectResult> Connect(ConnectRequest request)
        {
            grains._sessions[request.ConnectionId] = new();
            return new(new ConnectResult(new ConnectionEpoch(1, request.ConnectionId), false, 0, (int)request.ConnectionId, request.SessionExpirySeconds));
        }

        public async ValueTask<SubscribeResult> Subscribe(ConnectionEpoch epoch, Subscription[] subscriptions)
        {
            await Task.Yield();
            Array.ForEach(subscriptions, subscription => grains._sessions[epoch.Counter].Subscribe(subscription.Filter));
            return new(Array.ConvertAll(subscriptions, static subscription => subscription.MaximumQoS));
        }

        public ValueTask<UnsubscribeResult> Unsubscribe(ConnectionEpoch epoch, string[] filters) => new(new UnsubscribeResult(Array.ConvertAll(filters, grains._sessions[epoch.Counter].Unsubscribe)));

        public ValueTask Disconnect(ConnectionEpoch epoch, DisconnectNotice notice)
        {
            Assert.True(grains._sessions.TryRemove(epoch.Counter, out _));
            return default;
        }

        public ValueTask Abandon(SiloAddress edge, long connectionId) => throw new InvalidOperationException("CONNECT does not fail.");
    }
}
