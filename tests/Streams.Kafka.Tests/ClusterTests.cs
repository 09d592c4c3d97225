using OrleansMqtt.Log;
using Xunit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>Several silos.</summary>
public sealed class ClusterTests
{
    private const int Partitions = 16;

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Each_partition_is_pulled_by_one_silo_and_another_takes_over_without_gap(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, Partitions);
        var consumers = Enumerable.Range(0, Partitions).Select(partition => Consumer.Of($"{log.Topic}/{partition}")).ToArray();
        Array.ForEach(consumers, consumer => consumer.Continues = true);
        await using var first = await TestSilo.StartAsync(log);
        var second = await TestSilo.StartAsync(log, primary: first);
        try
        {
            await LogStreamTests.Until(async () => await first.CountQueuesAsync() == Owned(first, log) && await second.CountQueuesAsync() == Owned(second, log)
                && Owned(first, log) + Owned(second, log) == Partitions && Owned(second, log) > 0);
            await AppendAllAsync(log, 0);
            await ReceiveAllAsync(consumers, 0);
            _ = AppendAllAsync(log, 200);
        }
        finally
        {
            await second.DisposeAsync();
        }

        await ReceiveAllAsync(consumers, 200);
        _ = AppendAllAsync(log, 400);
        await ReceiveAllAsync(consumers, 400);
        Assert.Equal(Partitions, await first.CountQueuesAsync());
        Assert.All(consumers, consumer => Assert.True(consumer.BatchesJoin));
        Assert.All(consumers, consumer => Assert.Equal(first.Address.ToParsableString(), consumer.Silo));
    }

    [Fact]
    public async Task An_edge_owns_no_partition()
    {
        await using var log = await TestLog.CreateAsync("Embedded", Partitions);
        await using var silo = await TestSilo.StartAsync(log, role: "silo,edge");
        await using var edge = await TestSilo.StartAsync(log, primary: silo, role: "edge");
        await LogStreamTests.Until(() => Task.FromResult(edge.Map.Current.Silos.SequenceEqual([silo.Address]) && silo.Map.Current.Silos.SequenceEqual([silo.Address])));
        await LogStreamTests.Until(async () => await silo.CountQueuesAsync() == Partitions && await edge.CountQueuesAsync() == 0);
        await AppendAllAsync(log, 0);
        var consumers = Enumerable.Range(0, Partitions).Select(partition => Consumer.Of($"{log.Topic}/{partition}")).ToArray();
        await ReceiveAllAsync(consumers, 0);
        Assert.All(consumers, consumer => Assert.Equal(silo.Address.ToParsableString(), consumer.Silo));
    }

    [Fact]
    public async Task A_silo_owns_nothing_until_it_has_said_that_it_does()
    {
        await using var log = await TestLog.CreateAsync("Embedded", Partitions);
        await using var first = await TestSilo.StartAsync(log);
        SilentMember silence = new();
        await using var second = await TestSilo.StartAsync(log, primary: first, configureSilo: silo => silo.AddIncomingGrainCallFilter(silence));
        await silence.WaitForFailuresAsync(3);
        Assert.Equal([first.Address], first.Map.Current.Silos);
        Assert.Contains(second.Address, second.Map.Current.Silos);
        silence.End();
        await LogStreamTests.Until(() => Task.FromResult(first.Map.Current.Silos.SequenceEqual(second.Map.Current.Silos)));
    }

    [Fact]
    public async Task Owners_of_partitions_move_one_after_the_other_to_a_silo_that_comes_and_from_one_that_leaves()
    {
        // The consumers of the topic move, too, and are counted in what moves at once: an eighth.
        const int Owners = 64;
        const int Most = (Owners + Partitions) / 8;
        await using var log = await TestLog.CreateAsync("Embedded", Partitions);
        await using var first = await TestSilo.StartAsync(log);
        await TouchAllAsync();
        await using var second = await TestSilo.StartAsync(log, primary: first);
        await LogStreamTests.Until(() => Task.FromResult(Owned(second, log) > 0 && Owned(first, log) + Owned(second, log) == Partitions));
        var moving = Enumerable.Range(0, Owners).Count(partition => second.Address.Equals(second.Map.Current.GetOwner(new TopicPartitionId(log.Topic, partition))));
        Assert.True(moving > Most);
        var came = OwnerGrain.BegunOn(log.Topic, second.Address);

        // What waits for its move is pulled where it is.
        await LogStreamTests.Until(async () => await second.CountQueuesAsync() == Owned(second, log));
        Assert.True(await first.CountQueuesAsync() > Owned(first, log));
        await MoveAsync(came, 0);
        await LogStreamTests.Until(async () => await first.CountQueuesAsync() == Owned(first, log));

        var back = OwnerGrain.BegunOn(log.Topic, first.Address);
        Assert.Equal(Owners, back.Count);
        var left = second.StopAsync();
        await LogStreamTests.Until(() => Task.FromResult(first.Map.Current.Silos.SequenceEqual([first.Address])));
        await MoveAsync(back, Owners);
        await left;

        async Task MoveAsync(IReadOnlyCollection<TaskCompletionSource> moved, int before)
        {
            for (var served = before; served < before + moving;)
            {
                await LogStreamTests.Until(() => Task.FromResult(moved.Count > served));

                // The others are where they were, and answer there, although their partitions have another owner.
                await TouchAllAsync();
                var begun = moved.ToArray();
                Assert.InRange(begun.Length, served + 1, served + Most);
                Array.ForEach(begun[served..], serving => serving.SetResult());
                served = begun.Length;
            }
        }

        async Task TouchAllAsync()
        {
            for (var partition = 0; partition < Owners; partition++)
            {
                await first.Grains.GetGrain<IOwnerGrain>($"{log.Topic}/{partition}").Touch();
            }
        }
    }

    private static int Owned(TestSilo silo, TestLog log) =>
        Enumerable.Range(0, Partitions).Count(partition => silo.Address.Equals(silo.Map.Current.GetOwner(new TopicPartitionId(log.Topic, partition))));

    private static Task AppendAllAsync(TestLog log, int first) =>
        Task.WhenAll(Enumerable.Range(0, Partitions).Select(partition => log.AppendAsync(partition, first, 200)));

    private static async Task ReceiveAllAsync(Consumer[] consumers, int first)
    {
        foreach (var consumer in consumers)
        {
            Assert.Equal(Enumerable.Range(first, 200), await consumer.ReceiveAsync(200));
        }
    }
}
