using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka.Tests;

[ImplicitStreamSubscription("messages"), PartitionPlacement]
internal sealed class ConsumerGrain(ILocalSiloDetails silo) : Grain, IConsumerGrain, IStreamSubscriptionObserver, IAsyncObserver<LogBatch>
{
    private Consumer Consumer => Consumer.Of(this.GetPrimaryKeyString());

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public async Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory)
    {
        await handleFactory.Create<LogBatch>().ResumeAsync(this, Consumer.Start(silo.SiloAddress.ToParsableString()));
        Consumer.OnSubscribed();
    }

    public Task OnNextAsync(LogBatch item, StreamSequenceToken? token = null) => Consumer.TakeAsync(item);

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
