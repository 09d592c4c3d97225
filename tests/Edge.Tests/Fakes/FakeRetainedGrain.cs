namespace OrleansMqtt.Edge.Tests;

internal sealed class FakeRetainedGrain(FakeGrains grains, int partition) : IRetainedPartitionGrain
{
    public async ValueTask<RetainedPublishResult> Publish(RetainedPublishBatch batch)
    {
        var messages = batch.Messages.ToArray();
        grains.Record($"retained {partition}: {string.Join(' ', messages.Select(message => message.Topic))}");
        grains.Change(() => grains.RetainedBatches.Add(batch));
        await Task.Yield();
        if (grains.RetainedGate is { } gate)
        {
            await gate.Task;
        }

        if (grains.RetainedFailures.TryDequeue(out var failure))
        {
            throw failure;
        }

        Assert.Equal(messages, batch.Messages);
        if (batch.Generation != 0 && batch.Generation != grains.RetainedGeneration)
        {
            return new(grains.RetainedGeneration, IsStored: null);
        }

        grains.Change(() => grains.Published.AddRange(messages));
        return new(grains.RetainedGeneration, Array.ConvertAll(messages, message => message.Payload.Length < 1000));
    }
}
