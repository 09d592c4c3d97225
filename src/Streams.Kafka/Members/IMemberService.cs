using Orleans.Services;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>How the silos tell each other what they do.</summary>
[Alias("member-service")]
internal interface IMemberService : IGrainService
{
    /// <summary>What this silo does.</summary>
    [Alias("get")]
    ValueTask<MemberState> Get();

    /// <summary>Takes what another silo does from now on.</summary>
    [Alias("note")]
    ValueTask Note(SiloAddress silo, MemberState state);
}
