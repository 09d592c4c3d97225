using Microsoft.Extensions.Logging;
using Orleans.Runtime.Placement;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Has a silo rehearse before it gets partitions.</summary>
internal sealed partial class SiloRehearsal(IGrainFactory grains, ILocalSiloDetails local, TimeProvider time, ILogger<SiloRehearsal> logger) : IPartitionPreparation
{
    /// <summary>A silo that is younger is one of several that start together, as a rule: the cluster forms at once, and there is hardly anybody to disturb.</summary>
    private static readonly TimeSpan FormingTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);
    private readonly long _startedAt = time.GetTimestamp();

    public async Task PrepareAsync(SiloAddress newOwner, CancellationToken cancellationToken)
    {
        var grain = grains.GetGrain<IRehearsalGrain>($"{local.SiloAddress.ToParsableString()} {newOwner.ToParsableString()}");

        // Random placement goes where the hint says.
        RequestContext.Set(IPlacementDirector.PlacementHintKey, local.SiloAddress);
        while (!await TryMoveAsync(grain, newOwner))
        {
            await Task.Delay(RetryPause, cancellationToken);
            RequestContext.Set(IPlacementDirector.PlacementHintKey, newOwner);
        }

        await grain.Rehearse(mustSettle: time.GetElapsedTime(_startedAt) > FormingTime);
    }

    private async Task<bool> TryMoveAsync(IRehearsalGrain grain, SiloAddress newOwner)
    {
        try
        {
            return await grain.MoveTo(newOwner);
        }
        catch (Exception exception)
        {
            // Not all of Orleans knows a new silo at once: until then a call may go elsewhere, or nowhere.
            LogNotThere(newOwner, exception.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Silo {Silo} can't rehearse yet: {Error}")]
    private partial void LogNotThere(SiloAddress silo, string error);
}
