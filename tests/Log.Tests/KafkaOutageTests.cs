using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>A Kafka that hangs or is away.</summary>
public sealed class KafkaOutageTests : LogTests
{
    [Theory, InlineData("Wire"), InlineData("Confluent")]
    public async Task What_is_appended_while_Kafka_is_frozen_or_stopped_is_stored_in_order_once_afterwards(string transport)
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker, transport));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await using var reader = log.OpenReader(Topic, 0, 0);
        await using var owner = await log.OpenOwnerAsync(Topic, Token);
        Completions completions = new(3_000);
        AppendThousand(0);
        await broker.PauseAsync();
        AppendThousand(1);
        await UntilAsync(() => !log.Health.IsReachable);
        await broker.ResumeAsync();
        await UntilAsync(() => log.Health.IsReachable);
        await broker.StopAsync();
        AppendThousand(2);
        await UntilAsync(() => !log.Health.IsReachable);
        Assert.False(completions.All.IsCompleted);
        var offsets = log.GetOffsetsAsync([new(Topic, 0)], CancellationToken.None);
        var transaction = owner.AppendTransactionAsync([new(Topic, Record("x", "transaction"))], CancellationToken.None);
        await broker.StartAgainAsync();

        Assert.All(await completions.All.WaitAsync(TimeSpan.FromSeconds(90)), result => Assert.True(result.IsStored, result.Error));
        await offsets.WaitAsync(TimeSpan.FromSeconds(90));
        await transaction.WaitAsync(TimeSpan.FromSeconds(90));
        await UntilAsync(() => log.Health.IsReachable);
        List<string> values = [];
        while (values.Count < 3_001)
        {
            values.AddRange(Values([await reader.ReadAsync(1_000, Token)]));
        }

        Assert.True(values.Remove("transaction"));
        Assert.Equal(Enumerable.Range(0, 3_000).Select(i => $"{i}"), values);

        void AppendThousand(int round)
        {
            for (var i = round * 1_000; i < (round + 1) * 1_000; i++)
            {
                log.Append(Topic, Record("x", $"{i}"), completions, i);
            }
        }
    }

    [Fact]
    public async Task A_transaction_waits_for_Kafka_longer_than_any_of_its_time_limits()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(new() { ["Kafka:BootstrapServers"] = broker.BootstrapServers, ["Kafka:Producer:transaction.timeout.ms"] = "10000" });
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await using var owner = await log.OpenOwnerAsync(Topic, Token);
        await owner.AppendTransactionAsync([new(Topic, Record("x", "before"))], Token);
        await broker.StopAsync();
        var transaction = owner.AppendTransactionAsync([new(Topic, Record("x", "while away")), new(Topic, Record("y", "both"))], CancellationToken.None);

        // Past the limits of a message and of a transaction, 10 s each.
        await Assert.ThrowsAsync<TimeoutException>(() => transaction.WaitAsync(TimeSpan.FromSeconds(25)));
        await broker.StartAgainAsync();
        await transaction.WaitAsync(TimeSpan.FromSeconds(60));
        await owner.AppendTransactionAsync([new(Topic, Record("x", "after"))], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        var batch = await log.ReadRangeAsync(Topic, 0, 0, 100, Token);
        Assert.Equal(["before", "while away", "both", "after"], Values([batch]));
    }

    [Fact]
    public async Task An_owner_is_given_up_while_Kafka_is_away()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(new() { ["Kafka:BootstrapServers"] = broker.BootstrapServers });
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        var owner = await log.OpenOwnerAsync(Topic, Token);
        await broker.StopAsync();
        var transaction = owner.AppendTransactionAsync([new(Topic, Record("x", "never"))], CancellationToken.None);
        await owner.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => transaction);
    }
}
