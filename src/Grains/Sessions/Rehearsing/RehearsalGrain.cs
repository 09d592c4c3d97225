using Orleans.Concurrency;
using Orleans.Runtime.Placement;

namespace OrleansMqtt.Grains;

[Reentrant]
internal sealed class RehearsalGrain(Rehearsal rehearsal, ILocalSiloDetails local) : Grain, IRehearsalGrain
{
    public Task<bool> MoveTo(SiloAddress silo)
    {
        if (local.SiloAddress.Equals(silo))
        {
            return Task.FromResult(true);
        }

        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        this.MigrateOnIdle();
        return Task.FromResult(false);
    }

    public async Task Rehearse(bool mustSettle)
    {
        await rehearsal.RunOnceAsync();
        if (mustSettle)
        {
            await rehearsal.SettleAsync();
        }
    }
}
