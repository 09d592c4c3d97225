using Orleans.Runtime.Services;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>The edges by the silo they run in.</summary>
internal sealed class EdgeServices(IServiceProvider services, ISiloStatusOracle silos, IMembers members) : GrainServiceClient<IEdgeService>(services)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    /// <summary>The silos that may have an edge with connections: one that stops has ended them before its silo does.</summary>
    public IEnumerable<SiloAddress> Living => silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Where(HasEdge);

    public IEdgeService Of(SiloAddress silo) => GetGrainService(silo);

    /// <summary>Asks an edge until it answers; the default when it is dead.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="call">The question, which does no harm when it is asked twice.</param>
    /// <param name="failed">Called with each failure, before the next attempt.</param>
    public async Task<TAnswer?> AskAsync<TAnswer>(SiloAddress edge, Func<IEdgeService, ValueTask<TAnswer>> call, Action<Exception> failed)
    {
        while (!IsDead(edge))
        {
            try
            {
                return await call(Of(edge));
            }
            catch (Exception exception)
            {
                failed(exception);
                await Task.Delay(RetryPause);
            }
        }

        return default;
    }

    /// <summary>Whether a silo is dead for good, or never had connections. One that nobody knows, and that started before this one, was of an earlier cluster.</summary>
    public bool IsDead(SiloAddress silo) => silos.GetApproximateSiloStatus(silo) switch
    {
        SiloStatus.Dead => true,
        SiloStatus.None => silo.Generation < silos.SiloAddress.Generation,
        _ => !HasEdge(silo),
    };

    private bool HasEdge(SiloAddress silo) => members.Find(silo) is not { HasEdge: false };
}
