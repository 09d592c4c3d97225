using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>The owners of clients by the partitions of their identifiers.</summary>
internal sealed class ClientOwners(SessionPartitions partitions, IPartitionMapSource map) : IClientOwners
{
    public int PartitionOf(string clientId) => partitions.Of(clientId).Partition;

    public SiloAddress? GetOwner(string clientId) => map.Current.GetOwner(partitions.Of(clientId));
}
