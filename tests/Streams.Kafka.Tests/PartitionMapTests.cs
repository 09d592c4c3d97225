using System.Net;
using Orleans.Runtime;
using OrleansMqtt.Log;
using Xunit;

namespace OrleansMqtt.Streams.Kafka.Tests;

public sealed class PartitionMapTests
{
    private static readonly TopicPartitionId[] Partitions = [.. Enumerable.Range(0, 1_000).Select(partition => new TopicPartitionId("mqtt-messages", partition))];

    [Fact]
    public void All_processes_decide_the_same_whatever_order_they_see_the_silos_in()
    {
        PartitionMap map = new(Silos(5));
        PartitionMap other = new(Silos(5).Reverse());
        Assert.All(Partitions, partition => Assert.Equal(map.GetOwner(partition), other.GetOwner(partition)));
    }

    [Fact]
    public void Partitions_are_spread_evenly()
    {
        PartitionMap map = new(Silos(5));
        Assert.All(Partitions.CountBy(partition => map.GetOwner(partition)!), share => Assert.InRange(share.Value, 150, 250));
    }

    [Fact]
    public void A_silo_that_comes_takes_its_share_and_moves_nothing_else()
    {
        PartitionMap before = new(Silos(4));
        PartitionMap after = new(Silos(5));
        var added = Silos(5).Last();
        var moved = Partitions.Where(partition => !before.GetOwner(partition)!.Equals(after.GetOwner(partition))).ToList();
        Assert.All(moved, partition => Assert.Equal(added, after.GetOwner(partition)));
        Assert.InRange(moved.Count, 150, 250);
    }

    [Fact]
    public void Without_silos_there_is_no_owner() => Assert.Null(new PartitionMap([]).GetOwner(Partitions[0]));

    private static IEnumerable<SiloAddress> Silos(int count) =>
        Enumerable.Range(1, count).Select(i => SiloAddress.New(new IPEndPoint(IPAddress.Parse($"10.0.0.{i}"), 11111), i));
}
