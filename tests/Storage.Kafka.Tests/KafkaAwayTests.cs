using System.Text;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>Kafka goes away under a store, and comes back.</summary>
public sealed class KafkaAwayTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Commits_go_on_in_order_and_once_when_a_killed_or_frozen_Kafka_comes_back()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var log = await TestLog.CreateAsync("Kafka", broker: broker);
        await using var store = await log.OpenAsync();
        var count = 0;
        for (var round = 0; round < 3; round++)
        {
            using CancellationTokenSource stopping = new();
            var committing = CommitAsync(stopping.Token);
            while (Volatile.Read(ref count) < (round + 1) * 20)
            {
                await Task.WhenAny(committing, Task.Delay(10));
                Assert.False(committing.IsFaulted, $"{committing.Exception}");
            }

            if (round == 1)
            {
                await broker.PauseAsync();
                await broker.ResumeAsync();
            }
            else
            {
                await broker.KillAsync();
                await broker.StartAgainAsync();
            }

            await stopping.CancelAsync();
            await committing.WaitAsync(Limit);
            await store.CommitAsync([Record(log.Topic, "round", round)]).WaitAsync(Limit);
        }

        Assert.False(store.Fenced.IsCompleted);
        Assert.Equal(Enumerable.Range(0, count), (await log.ReadAsync(log.Messages)).Select(record => int.Parse(Encoding.UTF8.GetString(record.Value!.Value.Span), null)));
        List<StoreEntry> entries = [];
        await using var next = await log.OpenAsync(entries.Add);
        Assert.Equal([$"count={count - 1}", "round=2"], entries.Select(entry => $"{Encoding.UTF8.GetString(entry.Key.Span)}={Encoding.UTF8.GetString(entry.Value.Span)}"));

        // One after the other, so that some transaction is on its way at any moment.
        async Task CommitAsync(CancellationToken stopping)
        {
            while (!stopping.IsCancellationRequested)
            {
                await store.CommitAsync([Record(log.Messages, "m", count), Record(log.Topic, "count", count)], CancellationToken.None);
                Interlocked.Increment(ref count);
            }
        }
    }

    private static StoreRecord Record(string topic, string key, int value) =>
        new(topic, new() { Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes($"{value}"), Headers = [] });
}
