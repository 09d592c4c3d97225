namespace OrleansMqtt.Edge.Tests;

internal sealed class FakeTopicGrain(FakeGrains grains) : ITopicGrain
{
    public async ValueTask Publish(PublishBatch batch)
    {
        await Task.Yield();
        if (grains.Failure is { } failure)
        {
            throw failure;
        }

        grains.Publish(batch);
    }
}
