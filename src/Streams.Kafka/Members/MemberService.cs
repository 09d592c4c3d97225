using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Answers for this silo.</summary>
[Reentrant]
internal sealed class MemberService(GrainId grainId, Silo silo, ILoggerFactory loggerFactory, ClusterMembers members) : GrainService(grainId, silo, loggerFactory), IMemberService
{
    public ValueTask<MemberState> Get() => new(members.Own);

    public ValueTask Note(SiloAddress silo, MemberState state)
    {
        members.Note(silo, state);
        return default;
    }
}
