using System.Runtime.InteropServices;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>Takes the batches of the session partitions, each partition's in order, and puts them into the queues of the connections.</summary>
internal sealed class DeliveryReceiver(EdgeContext context)
{
    private readonly Dictionary<int, PartitionState> _partitions = [];
    private readonly Lock _gate = new();

    public DeliveryResult Deliver(DeliveryBatch batch)
    {
        var partition = GetPartition(batch.SessionPartition);
        lock (partition)
        {
            if (batch.Generation < partition.Generation)
            {
                return DeliveryResult.StaleGeneration;
            }

            var next = batch.Generation == partition.Generation ? partition.NextSequence : 0;
            if (batch.Sequence != next)
            {
                return DeliveryResult.OutOfSequence;
            }

            partition.Generation = batch.Generation;
            partition.NextSequence = next + 1;
            Enqueue(batch, partition.Touched);
            context.Pace.Note(batch.Waited);
            if (batch.IsBehind)
            {
                context.Pace.NoteBehind();
            }

            return DeliveryResult.Accepted;
        }
    }

    /// <summary>See <see cref="IEdgeService.HandOver"/>.</summary>
    public HandedOverConnection[]? HandOver(int sessionPartition, long generation)
    {
        var partition = GetPartition(sessionPartition);
        lock (partition)
        {
            if (generation < partition.Generation)
            {
                return null;
            }

            if (generation > partition.Generation)
            {
                (partition.Generation, partition.NextSequence) = (generation, 0);
            }

            // First what is for the earlier owner goes, then each connection counts for the new one: an acknowledgement between the two is dropped, and counted.
            context.Acknowledgements.Get(sessionPartition).BeginGeneration(generation);
            return
            [
                // Those without an answer to their CONNECT are among them: it may be on its way from an owner before. Where a session has ended by a takeover, nothing of it goes on.
                .. context.Connections.All
                    .Where(connection => connection.SessionPartition == sessionPartition
                        && (connection.Session is not { } session || (session.Epoch.Generation < generation && !(connection.IsTakenOver && session.SessionExpirySeconds == 0))))
                    .Select(connection => connection.HandOver(generation)),
            ];
        }
    }

    /// <summary>The generation of the last owner that was heard of; 0, before those of all owners, when there was none.</summary>
    public long GenerationOf(int sessionPartition)
    {
        var partition = GetPartition(sessionPartition);
        lock (partition)
        {
            return partition.Generation;
        }
    }

    /// <summary>
    /// Gives a connection the session that an owner has answered with. False when a later owner, who does not know the connection, has taken the others meanwhile. It does know one
    /// that is in the session's record, which is stored before the answer.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="session">The answer.</param>
    /// <param name="hasRecord">Whether the session has a record: it is stored, or has a will.</param>
    public bool TryBind(MqttConnection connection, ConnectResult session, bool hasRecord)
    {
        var partition = GetPartition(session.SessionPartition);
        lock (partition)
        {
            if (partition.Generation > session.Epoch.Generation && !(hasRecord && connection.HandedOverTo == partition.Generation))
            {
                return false;
            }

            connection.Bind(session);
            return true;
        }
    }

    private void Enqueue(DeliveryBatch batch, List<MqttConnection> touched)
    {
        MqttConnection? connection = null;
        foreach (ref readonly var delivery in CollectionsMarshal.AsSpan(batch.Deliveries))
        {
            if (connection?.Id != delivery.ConnectionId)
            {
                connection = context.Connections.Find(delivery.ConnectionId);
            }

            // Whoever finds the queue empty schedules its connection, so each is scheduled once.
            if (connection is not null && TryEnqueue(connection, batch, delivery, out var wasEmpty) && wasEmpty)
            {
                touched.Add(connection);
            }
        }

        foreach (var each in touched)
        {
            each.Output.Schedule();
        }

        touched.Clear();
    }

    private static bool TryEnqueue(MqttConnection connection, DeliveryBatch batch, in Delivery delivery, out bool wasEmpty)
    {
        var output = connection.Output;
        switch (delivery.MessageIndex)
        {
            case Delivery.Release:
                connection.GetTaken(batch.Generation).AddRelease(delivery);
                return output.TryEnqueueAcknowledgement(PacketType.PubRel, delivery.PacketId, delivery.QoS, out wasEmpty);
            case Delivery.Mark:
                return output.TryEnqueueMark(out wasEmpty);
            default:
                var identifiers = delivery.IdentifierSet == 0 ? null : batch.IdentifierSets![delivery.IdentifierSet - 1];
                var message = batch.Messages[delivery.MessageIndex];
                connection.GetTaken(batch.Generation).Add(delivery, message);
                return output.TryEnqueue(message, delivery, identifiers, out wasEmpty);
        }
    }

    private PartitionState GetPartition(int partition)
    {
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition, out var state))
            {
                _partitions[partition] = state = new PartitionState();
            }

            return state;
        }
    }

    private sealed class PartitionState
    {
        public long Generation;
        public long NextSequence;
        public readonly List<MqttConnection> Touched = [];
    }
}
