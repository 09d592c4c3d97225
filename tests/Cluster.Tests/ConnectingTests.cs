using System.Diagnostics;
using MQTTnet;
using MQTTnet.Protocol;
using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>Clients that connect in the moment when their session's partition moves.</summary>
public sealed class ConnectingTests
{
    private const int Clients = 12;

    [Fact]
    public async Task A_client_that_connects_while_its_partition_moves_is_accepted_and_served_and_its_will_comes_once()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0, configure: static _ => { });
        var staying = await cluster.AddAsync("silo,edge");
        await cluster.WaitForOwnersAsync(1);
        await using var mourner = await TestClient.ConnectAsync(staying.Port);
        await mourner.SubscribeAsync("wills/#");
        using CancellationTokenSource stop = new();
        var connecting = Enumerable.Range(0, Clients).Select(client => ConnectOverAndOverAsync(staying.Port, client, stop.Token)).ToArray();
        var joining = await cluster.AddAsync("silo,edge");
        await cluster.WaitForOwnersAsync(2);
        Assert.Equal(0, await joining.StopAsync());
        await cluster.WaitForOwnersAsync(1);
        await stop.CancelAsync();
        var counts = await Task.WhenAll(connecting).WaitAsync(TestClient.Limit);
        TestContext.Current.TestOutputHelper!.WriteLine($"{counts.Sum(static count => count.Connects)} connects, the slowest after {counts.Max(static count => count.Slowest).TotalMilliseconds:F0} ms");
        Assert.All(counts, static count => Assert.InRange(count.Connects, 2, int.MaxValue));

        // Each connection was lost.
        var expected = counts.SelectMany(static (count, client) => HasWill(client) ? Enumerable.Range(1, count.Connects).Select(connect => $"wills/{client} {connect}") : []).Order().ToArray();
        List<string> wills = [];
        try
        {
            while (wills.Count < expected.Length)
            {
                var will = await mourner.ReceiveAsync();
                wills.Add($"{will.Topic} {TestClient.TextOf(will)}");
            }
        }
        catch (OperationCanceledException)
        {
            // What is missing is told now.
        }

        Assert.Empty(expected.Except(wills));
        Assert.Equal(expected, wills.Order());
    }

    private static bool HasWill(int client) => client % 4 < 2;

    /// <summary>Every second client has a session that is stored, and every second of both kinds a will; all get what is sent to them.</summary>
    private static async Task<(int Connects, TimeSpan Slowest)> ConnectOverAndOverAsync(int port, int number, CancellationToken stop)
    {
        var (connects, slowest) = (0, TimeSpan.Zero);
        var isStored = number % 2 == 0;
        while (!stop.IsCancellationRequested)
        {
            var start = Stopwatch.GetTimestamp();
            connects++;
            await using var client = await TestClient.ConnectAsync(
                port, $"client-{number}", sessionExpiry: isStored ? 3600u : 0, configure: HasWill(number) ? AddWill : null);
            Assert.Equal(isStored && connects > 1, client.IsSessionPresent);
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(start).Ticks));
            if (!client.IsSessionPresent)
            {
                await client.SubscribeAsync($"to/{number}");
            }

            await client.PublishAsync($"to/{number}", $"{connects}");

            // The one before comes once more where the connection was closed before its acknowledgement had left.
            await client.ReceiveUntilAsync(messages => messages.Count > 0 && TestClient.TextOf(messages[^1]) == $"{connects}");
        }

        return (connects, slowest);

        void AddWill(MqttClientOptionsBuilder options) => options.WithWillTopic($"wills/{number}").WithWillPayload($"{connects}").WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
    }
}
