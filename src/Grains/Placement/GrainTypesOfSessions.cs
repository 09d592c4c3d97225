using Orleans.Metadata;

namespace OrleansMqtt.Grains;

/// <summary>The Orleans types of the grains that follow the sessions topic.</summary>
internal sealed class GrainTypesOfSessions(GrainTypeResolver resolver)
{
    public GrainType ClientSession { get; } = resolver.GetGrainType(typeof(ClientSessionGrain));

    public GrainType SessionPartition { get; } = resolver.GetGrainType(typeof(SessionPartitionGrain));
}
