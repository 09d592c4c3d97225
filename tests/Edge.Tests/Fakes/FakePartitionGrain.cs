using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Tests;

internal sealed class FakePartitionGrain(FakeGrains grains) : ISessionPartitionGrain
{
    public async ValueTask Acknowledge(AcknowledgementBatch batch)
    {
        await Task.Yield();
        if (grains.AcknowledgeGate is { } gate)
        {
            await gate.Task;
        }

        if (grains.Failure is { } failure)
        {
            throw failure;
        }

        grains.Change(() =>
        {
            grains.Acknowledgements.AddRange(batch.Items);
            grains.AcknowledgedGenerations.Add(batch.Generation);
        });
        if (grains.CompletesDeliveries)
        {
            foreach (var received in batch.Items.Where(item => item.Kind == AcknowledgementKind.PubRec))
            {
                grains.SendRelease(grains.ClientOf(received.SessionSlot).ConnectionId!.Value, received.PacketId);
            }
        }
    }

    public async ValueTask<InboundQoS2Outcome[]> PublishQoS2(InboundQoS2Batch batch)
    {
        var items = batch.Items.ToArray();
        grains.Change(() => grains.QoS2Batches.Add(items));
        Assert.Equal(1, Interlocked.Increment(ref grains.QoS2Calls));
        try
        {
            await Task.Yield();
            if (grains.QoS2Gate is { } gate)
            {
                await gate.Task;
            }

            if (grains.Failure is { } failure)
            {
                throw failure;
            }

            Assert.Equal(items, batch.Items);
            return Array.ConvertAll(items, Store);
        }
        finally
        {
            Interlocked.Decrement(ref grains.QoS2Calls);
        }
    }

    private InboundQoS2Outcome Store(InboundQoS2 item)
    {
        var client = grains.ClientOf(item.SessionSlot);
        if (item.Epoch != client.Epoch)
        {
            return InboundQoS2Outcome.Stale;
        }

        if (item.Message is not { } message)
        {
            return client.Received.Remove(item.PacketId) ? InboundQoS2Outcome.Done : InboundQoS2Outcome.NotFound;
        }

        if (client.Received.Add(item.PacketId))
        {
            grains.Record($"store {item.PacketId}");
            grains.Change(() => grains.Published.Add(message));
            grains.Deliver(message);
        }

        return InboundQoS2Outcome.Done;
    }

    public ValueTask Route(RoutedBatch batch) => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask RequestFilters(TopicPartitionId router, long routerGeneration) => throw new InvalidOperationException("An edge does not call this.");
}
