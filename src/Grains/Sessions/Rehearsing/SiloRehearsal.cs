using Orleans.Runtime.Placement;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Has a silo rehearse before it gets partitions.</summary>
internal sealed class SiloRehearsal(IGrainFactory grains) : IPartitionPreparation
{
    public async Task PrepareAsync(SiloAddress newOwner, CancellationToken cancellationToken)
    {
        // Random placement goes where the hint says.
        RequestContext.Set(IPlacementDirector.PlacementHintKey, newOwner);
        await grains.GetGrain<IRehearsalGrain>(newOwner.ToParsableString()).Rehearse();
    }
}
