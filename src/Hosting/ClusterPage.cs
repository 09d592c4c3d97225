using Orleans.Runtime;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Hosting;

/// <summary>What this process knows of its cluster, as JSON: who owns partitions, and the grains of partitions that live here.</summary>
internal static class ClusterPage
{
    public static void MapCluster(this WebApplication app) => app.MapGet("/cluster", Describe);

    private static object Describe(ILocalSiloDetails silo, IMembers members, IPartitionMapSource map, IPartitionGrains grains) => new
    {
        Silo = silo.SiloAddress.ToParsableString(),
        Members = members.Active.OrderBy(static member => member.Key).Select(static member => new
        {
            Silo = member.Key.ToParsableString(),
            member.Value.OwnsPartitions,
            member.Value.HasEdge,
            member.Value.EdgeAddress,
            member.Value.IsFull,
            member.Value.IsLeaving,
        }),
        Owners = map.Current.Silos.Select(owner => owner.ToParsableString()),
        PartitionGrains = grains.Owners.Select(grain => grain.ToString()).Order(StringComparer.Ordinal),
        OtherGrains = grains.FollowerCount,
        Misplaced = grains.MisplacedCount,
    };
}
