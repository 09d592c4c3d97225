using System.Diagnostics;
using System.Net;
using Orleans.Runtime;
using OrleansMqtt.Log;
using Xunit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>The <see cref="PartitionMap"/> at the size of a large cluster: the figures of <c>docs/scaling.md</c>.</summary>
public sealed class ScalingTests
{
    private const int SiloCount = 100;
    private static readonly TopicPartitionId[] Partitions =
        [.. new[] { "mqtt-messages", "mqtt-retained", "mqtt-sessions" }.SelectMany(topic => Enumerable.Range(0, 1_000).Select(partition => new TopicPartitionId(topic, partition)))];

    [Fact]
    public void At_a_hundred_silos_each_has_its_share_and_one_that_comes_or_goes_moves_a_hundredth()
    {
        var silos = Silos(SiloCount + 1);
        PartitionMap map = new(silos[..SiloCount]);
        var shares = Partitions.CountBy(partition => map.GetOwner(partition)!).Select(share => share.Value).Order().ToList();
        Assert.Equal(SiloCount, shares.Count);

        // One more.
        PartitionMap larger = new(silos);
        var taken = Moves(map, larger);
        Assert.All(taken, move => Assert.Equal(silos[^1], move.To));

        // Each of them gone.
        var given = silos[..SiloCount].Select(gone =>
        {
            var moves = Moves(map, new([.. silos[..SiloCount].Where(silo => !silo.Equals(gone))]));
            Assert.All(moves, move => Assert.Equal(gone, move.From));

            // What it had is shared by many: no one takes more than a few of it.
            Assert.InRange(moves.CountBy(move => move.To).Max(share => share.Value), 1, 8);
            return moves.Count;
        }).ToList();
        Assert.Equal(Partitions.Length, given.Sum());

        // All of them replaced, one after the other, as a rolling restart does: each is gone, then back as another.
        var current = silos[..SiloCount].ToList();
        var total = 0;
        for (var i = 0; i < SiloCount; i++)
        {
            PartitionMap before = new(current);
            current.RemoveAt(0);
            PartitionMap without = new(current);
            current.Add(SiloAddress.New(silos[i].Endpoint, 1_000 + i));
            total += Moves(before, without).Count + Moves(without, new(current)).Count;
        }

        var start = Stopwatch.GetTimestamp();
        Array.ForEach(Partitions, partition => map.GetOwner(partition));
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Partitions.Length} partitions on {SiloCount} silos: {shares[0]} to {shares[^1]} each (mean {shares.Average():0}, 95 of 100 at most {shares[94]}); one silo more takes {taken.Count}; "
            + $"one that goes gives {given.Min()} to {given.Max()}; a rolling restart moves {total} ({(double)total / Partitions.Length:0.0} times each); "
            + $"all owners in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0.0} ms");
        Assert.InRange(shares[^1], 30, 60);
        Assert.InRange(taken.Count, 10, 60);
        Assert.InRange((double)total / Partitions.Length, 1.5, 3);
    }

    private static List<(SiloAddress From, SiloAddress To)> Moves(PartitionMap before, PartitionMap after) =>
        [.. Partitions.Select(partition => (From: before.GetOwner(partition)!, To: after.GetOwner(partition)!)).Where(move => !move.From.Equals(move.To))];

    private static SiloAddress[] Silos(int count) =>
        [.. Enumerable.Range(1, count).Select(i => SiloAddress.New(new IPEndPoint(IPAddress.Parse($"10.0.{i / 250}.{i % 250}"), 11111), i))];
}
