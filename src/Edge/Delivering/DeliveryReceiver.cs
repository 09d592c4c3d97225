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
            return DeliveryResult.Accepted;
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
            if (connection is not null && TryEnqueue(connection.Output, batch, delivery, out var wasEmpty) && wasEmpty)
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

    private static bool TryEnqueue(ConnectionOutput output, DeliveryBatch batch, in Delivery delivery, out bool wasEmpty)
    {
        switch (delivery.MessageIndex)
        {
            case Delivery.Release:
                return output.TryEnqueueAcknowledgement(PacketType.PubRel, delivery.PacketId, delivery.QoS, out wasEmpty);
            case Delivery.Mark:
                return output.TryEnqueueMark(out wasEmpty);
            default:
                var identifiers = delivery.IdentifierSet == 0 ? null : batch.IdentifierSets![delivery.IdentifierSet - 1];
                return output.TryEnqueue(batch.Messages[delivery.MessageIndex], delivery, identifiers, out wasEmpty);
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
        public long Generation = long.MinValue;
        public long NextSequence;
        public readonly List<MqttConnection> Touched = [];
    }
}
