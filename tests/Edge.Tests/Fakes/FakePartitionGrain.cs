using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Tests;

internal sealed class FakePartitionGrain(FakeGrains grains) : ISessionPartitionGrain
{
    public async ValueTask Acknowledge(AcknowledgementBatch batch)
    {
        await Task.Yield();
        if (grains.Failure is { } failure)
        {
            throw failure;
        }

        grains.Change(() => grains.Acknowledgements.AddRange(batch.Items));
    }

    public ValueTask<AttachResult> Attach(string clientId, ConnectRequest request) => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask Detach(string clientId, ConnectionEpoch epoch) => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask<SubscribeResult> Subscribe(string clientId, ConnectionEpoch epoch, Subscription[] subscriptions)
        => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask<UnsubscribeResult> Unsubscribe(string clientId, ConnectionEpoch epoch, string[] filters)
        => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask<InboundQoS2Outcome[]> PublishQoS2(InboundQoS2Batch batch) => throw new NotSupportedException();

    public ValueTask Route(RoutedBatch batch) => throw new InvalidOperationException("An edge does not call this.");

    public ValueTask RequestFilters(TopicPartitionId router, long routerGeneration) => throw new InvalidOperationException("An edge does not call this.");
}
