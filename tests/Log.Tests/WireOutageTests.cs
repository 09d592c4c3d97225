using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>A Kafka that hangs, is killed or cut off, by the wire client.</summary>
public sealed class WireOutageTests : LogTests
{
    [Fact]
    public async Task A_broker_that_is_killed_under_load_again_and_again_stores_each_record_once_in_order()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 3, IsCompacted: false)], Token);
        const int Count = 60_000;
        Completions completions = new(Count);
        await using var reader = log.OpenReader(Topic, 1, 0);
        var reading = ReadValuesAsync(reader, Count / 3);
        var appending = Task.Run(async () =>
        {
            // About as long as the kills take.
            using PeriodicTimer pace = new(TimeSpan.FromMilliseconds(5));
            for (var i = 0; i < Count; i++)
            {
                log.Append(Topic, Record("x", $"{i}", partition: i % 3), completions, i);
                if (i % 30 == 0)
                {
                    await pace.WaitForNextTickAsync();
                }
            }
        });
        for (var kill = 0; kill < 2; kill++)
        {
            var before = completions.Count;
            await UntilAsync(() => completions.Count > before);
            await broker.KillAsync();
            await broker.StartAgainAsync();
        }

        await appending;
        var results = await completions.All.WaitAsync(Patience);
        Assert.All(results, result => Assert.True(result.IsStored, result.Error));
        Assert.Equal(Enumerable.Range(0, Count).Where(i => i % 3 == 1).Select(i => $"{i}"), await reading);
        for (var partition = 0; partition < 3; partition++)
        {
            await using var fromStart = log.OpenReader(Topic, partition, 0);
            Assert.Equal(Enumerable.Range(0, Count).Where(i => i % 3 == partition).Select(i => $"{i}"), await ReadValuesAsync(fromStart, Count / 3));
            Assert.Equal(Count / 3, fromStart.Position);
        }

        Assert.Equal(Enumerable.Range(0, Count / 3).Select(offset => (long)offset), results.Where((_, i) => i % 3 == 2).Select(result => result.Offset));
    }

    [Fact]
    public async Task Records_whose_acknowledgement_is_lost_on_the_way_are_stored_once_and_acknowledged_later()
    {
        const int Count = 40_000;
        const int Cuts = 20;
        var (port, proxyPort) = (TestPorts.Free(), TestPorts.Free());
        using CuttingProxy proxy = new(proxyPort, port);
        await using var broker = await KafkaBroker.StartOwnAsync(port, $"advertised.listeners=PLAINTEXT://127.0.0.1:{proxyPort}");
        await using var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 3, IsCompacted: false)], Token);
        Completions completions = new(Count);
        for (var cut = 0; cut < Cuts; cut++)
        {
            proxy.Cut();
            for (var i = cut * Count / Cuts; i < (cut + 1) * Count / Cuts; i++)
            {
                log.Append(Topic, Record("x", $"{i}", partition: i % 3), completions, i);
            }

            await UntilAsync(() => proxy.HasCut);
        }

        var results = await completions.All.WaitAsync(Patience);
        Assert.All(results, result => Assert.True(result.IsStored, result.Error));
        for (var partition = 0; partition < 3; partition++)
        {
            var expected = Enumerable.Range(0, Count).Where(i => i % 3 == partition).ToArray();
            await using var reader = log.OpenReader(Topic, partition, 0);
            Assert.Equal(expected.Select(i => $"{i}"), await ReadValuesAsync(reader, expected.Length));
            Assert.Equal(Enumerable.Range(0, expected.Length).Select(offset => (long)offset), expected.Select(i => results[i].Offset));
            Assert.Equal(expected.Length, (await log.GetOffsetsAsync([new(Topic, partition)], Token))[0].End);
        }
    }

    [Fact]
    public async Task While_Kafka_hangs_the_log_says_so_and_offsets_wait_for_it_longer_than_any_time_limit()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 2, IsCompacted: false)], Token);
        Completions completions = new(1);
        log.Append(Topic, Record("x", "1", partition: 1), completions, 0);
        Assert.True((await completions.All.WaitAsync(Patience))[0].IsStored);
        await broker.PauseAsync();
        await UntilAsync(() => !log.Health.IsReachable);
        var offsets = log.GetOffsetsAsync([new(Topic, 0), new(Topic, 1)], CancellationToken.None);
        var others = log.GetOffsetsAsync([new(Topic, 1)], CancellationToken.None);
        using CancellationTokenSource cancelling = new(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.GetOffsetsAsync([new(Topic, 0)], cancelling.Token));

        // Past the limits of a probe and of a question for offsets, 2 and 5 s each.
        await Assert.ThrowsAsync<TimeoutException>(() => Task.WhenAny(offsets, others).WaitAsync(TimeSpan.FromSeconds(15)));
        Assert.False(log.Health.IsReachable);
        await broker.ResumeAsync();

        Assert.Equal([new(0, 0), new(0, 1)], await offsets.WaitAsync(Patience));
        Assert.Equal([new(0, 1)], await others.WaitAsync(Patience));
        await UntilAsync(() => log.Health.IsReachable);
    }

    [Fact]
    public async Task The_log_closes_while_offsets_wait()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await log.GetOffsetsAsync([new(Topic, 0)], Token);
        await broker.PauseAsync();
        var offsets = log.GetOffsetsAsync([new(Topic, 0)], CancellationToken.None);
        await services.DisposeAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => offsets.WaitAsync(Patience));
        await broker.ResumeAsync();
    }

    [Fact]
    public async Task What_is_not_acknowledged_when_the_log_closes_fails()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await broker.StopAsync();
        Completions completions = new(2);
        log.Append(Topic, Record("x", "1"), completions, 0);
        await services.DisposeAsync();
        log.Append(Topic, Record("x", "2"), completions, 1);
        Assert.All(await completions.All.WaitAsync(Patience), result => Assert.Contains("closed", result.Error, StringComparison.Ordinal));
    }
}
