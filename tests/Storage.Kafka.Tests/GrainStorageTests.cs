using System.Text;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Kafka;
using Xunit;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>What Orleans asks of a storage provider, on each log and with a real silo.</summary>
public sealed class GrainStorageTests
{
    private const string Name = "counter";

    public static TheoryData<string> Logs => ["Embedded", "Kafka"];

    [Theory, MemberData(nameof(Logs))]
    public async Task A_state_that_was_never_written_is_new(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        await using var silo = await TestSilo.StartAsync(log);
        GrainState<CounterState> state = new() { State = new() { Value = 7 }, ETag = "1", RecordExists = true };
        await silo.Storage.ReadStateAsync(Name, Grain("a"), state);
        Assert.Equal((0, "new", null, false), (state.State!.Value, state.State!.Text, state.ETag, state.RecordExists));
        GrainState<CounterState> never = new() { State = new() };
        await silo.Storage.ClearStateAsync(Name, Grain("a"), never);
        Assert.Equal((null, false), (never.ETag, never.RecordExists));
        Assert.Empty(log.Log.Transactions);
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_state_is_written_read_cleared_and_made_again(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        await using var silo = await TestSilo.StartAsync(log);
        GrainState<CounterState> state = new() { State = new() { Value = 1, Text = "ä€" } };
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        Assert.True(state.RecordExists);
        var first = state.ETag;
        Assert.NotNull(first);
        Assert.Equal((1, "ä€", first, true), await ReadAsync(silo, "a"));

        state.State!.Value = 2;
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        Assert.NotEqual(first, state.ETag);
        Assert.Equal((2, "ä€", state.ETag, true), await ReadAsync(silo, "a"));
        Assert.Equal((0, "new", null, false), await ReadAsync(silo, "b"));

        var second = state.ETag;
        await silo.Storage.ClearStateAsync(Name, Grain("a"), state);
        Assert.Equal((0, "new", null, false), (state.State!.Value, state.State!.Text, state.ETag, state.RecordExists));
        Assert.Equal((0, "new", null, false), await ReadAsync(silo, "a"));
        state.State!.Value = 3;
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        Assert.DoesNotContain(state.ETag, new[] { first, second });
        Assert.Equal((3, "new", state.ETag, true), await ReadAsync(silo, "a"));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task An_ETag_that_is_not_that_of_the_state_changes_nothing(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        await using var silo = await TestSilo.StartAsync(log);
        await RefuseAsync(new() { State = new(), ETag = "1" }, "none");
        GrainState<CounterState> state = new() { State = new() { Value = 1 } };
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        var stale = state.ETag;
        await RefuseAsync(new() { State = new() { Value = 5 } }, stale);
        state.State!.Value = 2;
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        await RefuseAsync(new() { State = new() { Value = 5 }, ETag = stale }, state.ETag);
        Assert.Equal((2, "new", state.ETag, true), await ReadAsync(silo, "a"));
        var last = state.ETag;
        await silo.Storage.ClearStateAsync(Name, Grain("a"), state);
        await RefuseAsync(new() { State = new() { Value = 5 }, ETag = last }, "none");

        async Task RefuseAsync(GrainState<CounterState> other, string? stored)
        {
            var etag = other.ETag;
            var exception = await Assert.ThrowsAsync<InconsistentStateException>(() => silo.Storage.WriteStateAsync(Name, Grain("a"), other));
            Assert.Equal((stored, etag ?? "none"), (exception.StoredEtag, exception.CurrentEtag));
            await Assert.ThrowsAsync<InconsistentStateException>(() => silo.Storage.ClearStateAsync(Name, Grain("a"), other));
            Assert.Equal(etag, other.ETag);
        }
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task Of_two_writers_at_once_one_wins(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var silo = await TestSilo.StartAsync(log);
        GrainState<CounterState> state = new() { State = new() };
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        log.Log.CloseGate();
        var writers = Enumerable.Range(1, 10).Select(i => new GrainState<CounterState> { State = new() { Value = i }, ETag = state.ETag }).ToArray();
        var writing = writers.Select(writer => silo.Storage.WriteStateAsync(Name, Grain("a"), writer)).ToArray();
        var reading = ReadAsync(silo, "a");
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        log.Log.OpenGate();
        await Task.WhenAll(writing).ContinueWith(_ => { }, TaskScheduler.Default);
        var winner = Assert.Single(writing, task => task.IsCompletedSuccessfully);
        Assert.All(writing.Where(task => task != winner), task => Assert.IsType<InconsistentStateException>(task.Exception?.InnerException));
        var won = writers[Array.IndexOf(writing, winner)];
        Assert.Equal((won.State!.Value, "new", won.ETag, true), await ReadAsync(silo, "a"));
        await reading;
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task States_and_their_ETags_survive_a_restart(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        var states = Enumerable.Range(0, 50).Select(i => new GrainState<CounterState> { State = new() { Value = i } }).ToArray();
        await using (var silo = await TestSilo.StartAsync(log))
        {
            await Task.WhenAll(states.Select((state, i) => silo.Storage.WriteStateAsync(Name, Grain($"{i}"), state)));
            await Task.WhenAll(states.Take(10).Select((state, i) => silo.Storage.ClearStateAsync(Name, Grain($"{i}"), state)));
        }

        await using var next = await TestSilo.StartAsync(log);
        for (var i = 0; i < states.Length; i++)
        {
            Assert.Equal((i < 10 ? 0 : i, "new", states[i].ETag, i >= 10), await ReadAsync(next, $"{i}"));
        }

        states[20].State!.Value = 1_000;
        await next.Storage.WriteStateAsync(Name, Grain("20"), states[20]);
        Assert.Equal((1_000, "new", states[20].ETag, true), await ReadAsync(next, "20"));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_grain_finds_its_state_again_and_starts_anew_after_a_conflict(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 2);
        await using var silo = await TestSilo.StartAsync(log);
        var grain = silo.Grains.GetGrain<ICounterGrain>("a");
        Assert.False((await grain.Get()).RecordExists);
        await grain.Add(2);
        Assert.Equal(5, await grain.Add(3));
        var first = await grain.Get();
        Assert.Equal((5, true), (first.Value, first.RecordExists));

        // Somebody else writes.
        GrainState<CounterState> other = new();
        await silo.Storage.ReadStateAsync(Name, grain.GetGrainId(), other);
        other.State!.Value = 100;
        await silo.Storage.WriteStateAsync(Name, grain.GetGrainId(), other);
        await Assert.ThrowsAsync<InconsistentStateException>(() => grain.Add(1));
        await UntilAsync(async () => (await grain.Get()).Activation != first.Activation);
        Assert.Equal(101, await grain.Add(1));
        await grain.Clear();
        Assert.Equal((0, false), ((await grain.Get()).Value, (await grain.Get()).RecordExists));
        Assert.Equal(1, await grain.Add(1));
        var before = (await grain.Get()).Activation;
        await grain.Leave();
        await UntilAsync(async () => (await grain.Get()).Activation != before);
        Assert.Equal((1, true), ((await grain.Get()).Value, (await grain.Get()).RecordExists));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_partition_that_lost_its_right_starts_anew_with_what_the_later_owner_wrote(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var silo = await TestSilo.StartAsync(log);
        GrainState<CounterState> state = new() { State = new() { Value = 1 } };
        await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
        await using (await log.Log.OpenOwnerAsync($"storage-{log.Topic}-0", TestLog.Token))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => silo.Storage.WriteStateAsync(Name, Grain("a"), state));
        }

        await UntilAsync(async () =>
        {
            try
            {
                await silo.Storage.WriteStateAsync(Name, Grain("a"), state);
                return true;
            }
            catch (OwnerFencedException)
            {
                return false;
            }
        });
        Assert.Equal((1, "new", state.ETag, true), await ReadAsync(silo, "a"));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task Another_silo_takes_the_states_over(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 8);
        await using var first = await TestSilo.StartAsync(log);
        var second = await TestSilo.StartAsync(log, primary: first);
        var states = Enumerable.Range(0, 40).Select(i => new GrainState<CounterState> { State = new() { Value = i } }).ToArray();
        try
        {
            await Task.WhenAll(states.Select((state, i) => (i % 2 == 0 ? first : second).Storage.WriteStateAsync(Name, Grain($"{i}"), state)));
        }
        finally
        {
            await second.DisposeAsync();
        }

        for (var i = 0; i < states.Length; i++)
        {
            Assert.Equal((i, "new", states[i].ETag, true), await ReadAsync(first, $"{i}"));
        }
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task The_keys_partitions_and_owners_are_those_of_the_options(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        OwnPartitionGrain.Topic = log.Topic;
        await using var silo = await TestSilo.StartAsync(log, options =>
        {
            options.Key = (name, grain) => $"{grain.Key}#{name}";
            options.PartitionKey = grain => grain.Key.ToString()!;
            options.Partition = (grains, partition) => grains.GetGrain<IOwnPartitionGrain>(partition);
        });
        foreach (var client in new[] { "a", "b", "c", "ä" })
        {
            GrainState<CounterState> state = new() { State = new() { Value = 1 } };
            await silo.Storage.WriteStateAsync("one", Grain(client), state);
            await silo.Storage.WriteStateAsync("two", Grain(client), new GrainState<CounterState> { State = new() { Value = 2 } });
            Assert.Equal(1, await ValueAsync("one", client));
            Assert.Equal(2, await ValueAsync("two", client));
            var partition = KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(client), 4);
            var keys = (await log.ReadAsync(log.Topic, partition)).Select(record => Encoding.UTF8.GetString(record.Key!.Value.Span)).ToList();
            Assert.Contains($"{client}#one", keys);
            Assert.Contains($"{client}#two", keys);
        }

        async Task<int> ValueAsync(string name, string client)
        {
            GrainState<CounterState> state = new();
            await silo.Storage.ReadStateAsync(name, Grain(client), state);
            return state.State!.Value;
        }
    }

    [Fact]
    public async Task A_provider_without_a_topic_stops_the_start()
    {
        await using var log = await TestLog.CreateAsync("Embedded");
        var exception = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => TestSilo.StartAsync(log, options => options.Topic = ""));
        Assert.Contains($"'{TestSilo.Provider}'", exception.Message, StringComparison.Ordinal);
    }

    private static GrainId Grain(string key) => GrainId.Create("test", key);

    private static async Task<(int Value, string Text, string? ETag, bool RecordExists)> ReadAsync(TestSilo silo, string key)
    {
        GrainState<CounterState> state = new();
        await silo.Storage.ReadStateAsync(Name, Grain(key), state);
        return (state.State!.Value, state.State!.Text, state.ETag, state.RecordExists);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var token = TestLog.Token;
        while (!await condition())
        {
            await Task.Delay(20, token);
        }
    }
}
