using Orleans.Runtime.Placement;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Has a silo rehearse before it gets partitions.</summary>
internal sealed class SiloRehearsal(IGrainFactory grains, ILocalSiloDetails local, TimeProvider time) : IPartitionPreparation
{
    /// <summary>A cluster whose silos start together forms at once: there is hardly anybody to disturb.</summary>
    private static readonly TimeSpan FormingTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);
    private readonly long _startedAt = time.GetTimestamp();

    public async Task PrepareAsync(SiloAddress newOwner, CancellationToken cancellationToken)
    {
        var grain = grains.GetGrain<IRehearsalGrain>($"{local.SiloAddress.ToParsableString()} {newOwner.ToParsableString()}");

        // Random placement goes where the hint says.
        RequestContext.Set(IPlacementDirector.PlacementHintKey, local.SiloAddress);
        while (!await grain.MoveTo(newOwner))
        {
            // Not all of Orleans knows a new silo at once: until then it goes elsewhere.
            await Task.Delay(RetryPause, cancellationToken);
            RequestContext.Set(IPlacementDirector.PlacementHintKey, newOwner);
        }

        await grain.Rehearse(mustSettle: time.GetElapsedTime(_startedAt) > FormingTime);
    }
}
