using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Redirecting;

namespace OrleansMqtt.Edge.Tests;

/// <summary>Clients are sent to other servers (MQTT 5, 4.11).</summary>
public sealed class RedirectTests
{
    [Fact]
    public async Task A_client_of_MQTT_5_is_sent_to_the_edge_of_its_owner_and_an_older_one_is_served()
    {
        await using var host = await EdgeHost.StartAsync(null, ("Redirect", "true"));
        host.Grains.Directory.Owners["elsewhere"] = "b:1";
        using var client = await RawClient.OpenAsync(host.Port);
        await client.SendAsync(RawClient.ConnectPacket("elsewhere", 5));
        var answer = await client.ReceiveUntilClosedAsync();
        Assert.StartsWith("20", answer, StringComparison.Ordinal);
        Assert.Equal("009C", answer[4..8]);
        Assert.Contains("1C" + RawClient.Text("b:1"), answer, StringComparison.Ordinal);
        Assert.Empty(host.Grains.Calls);

        using var older = await host.ConnectAsync("elsewhere", 4);
        using var here = await host.ConnectAsync("here");
        await older.ExpectOnlyPingResponseAsync();
        await here.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task Nobody_is_sent_anywhere_unless_that_is_wanted()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.Directory.Owners["elsewhere"] = "b:1";
        using var client = await host.ConnectAsync("elsewhere");
        await client.ExpectOnlyPingResponseAsync();
    }

    [Theory, InlineData(null, "97"), InlineData("b:1", "9D")]
    public async Task Above_the_configured_number_of_connections_clients_are_turned_away(string? other, string code)
    {
        await using var host = await EdgeHost.StartAsync(null, ("ShedConnectionsAbove", "1"));
        host.Grains.Directory.Other = other;
        using var first = await host.ConnectAsync("first");
        using var second = await RawClient.OpenAsync(host.Port);
        await second.SendAsync(RawClient.ConnectPacket("second", 5));
        var answer = await second.ReceiveUntilClosedAsync();
        Assert.Equal($"00{code}", answer[4..8]);
        Assert.Equal(other is not null, answer.Contains("1C" + RawClient.Text("b:1"), StringComparison.Ordinal));

        using var older = await RawClient.OpenAsync(host.Port);
        await older.SendAsync(RawClient.ConnectPacket("older", 4));
        Assert.Equal("20020003", await older.ReceiveUntilClosedAsync());
        await first.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public void The_other_edges_hear_when_there_are_too_many_connections_and_when_a_twentieth_of_them_has_gone()
    {
        FakeDirectory directory = new();
        LoadShedding shedding = new(40, directory);
        foreach (var connections in new[] { 39, 40, 39, 40, 41, 39 })
        {
            Note(connections);
        }

        Assert.Equal(["full"], directory.Told);
        Note(38);
        Note(39);
        Assert.Equal(["full", "not full"], directory.Told);
        Note(40);
        Assert.Equal(["full", "not full", "full"], directory.Told);
        Assert.True(shedding.Applies(41));
        Assert.False(shedding.Applies(40));

        void Note(int connections) => shedding.Note(ref connections);
    }

    [Fact]
    public async Task What_the_others_hear_last_is_true_in_whatever_order_connections_that_come_at_once_are_noted()
    {
        const int Limit = 4;
        const int Rounds = 20_000;
        FakeDirectory directory = new();
        using ConnectionTable connections = new(int.MaxValue, new(Limit, directory));
        var wrong = 0;
        using Barrier barrier = new(Limit, phase =>
        {
            wrong += directory.Told.LastOrDefault() == (phase.CurrentPhaseNumber % 2 == 0 ? "full" : "not full") ? 0 : 1;
            directory.Told.Clear();
        });
        await Task.WhenAll(Enumerable.Range(0, Limit).Select(_ => Task.Factory.StartNew(ComeAndGo, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.Equal(0, wrong);

        void ComeAndGo()
        {
            for (var round = 0; round < Rounds; round++)
            {
                connections.TryEnter();
                barrier.SignalAndWait();
                connections.Leave();
                barrier.SignalAndWait();
            }
        }
    }

    [Fact]
    public async Task An_edge_tells_the_others_when_it_is_full_and_when_it_is_not_any_more()
    {
        await using var host = await EdgeHost.StartAsync(null, ("ShedConnectionsAbove", "2"));
        using var first = await host.ConnectAsync("first");
        Assert.Empty(host.Grains.Directory.Told);
        var second = await host.ConnectAsync("second");
        Assert.Equal("full", await host.Grains.Directory.NextToldAsync());
        second.Dispose();
        Assert.Equal("not full", await host.Grains.Directory.NextToldAsync());
    }

    [Fact]
    public async Task A_stop_moves_clients_to_other_edges_that_know_of_it_before()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.Directory.Other = "b:1";
        host.Grains.Directory.Owners["owned"] = "c:1";
        host.Grains.Directory.Leaving = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var owned = await host.ConnectAsync("owned");
        using var client = await host.ConnectAsync("any");
        using var older = await host.ConnectAsync("older", 4);
        var stopped = host.StopAsync();
        Assert.Equal("leaves", await host.Grains.Directory.NextToldAsync());
        await owned.ExpectOnlyPingResponseAsync();
        host.Grains.Directory.Leaving.SetResult();
        var farewell = await owned.ReceiveUntilClosedAsync();
        Assert.Equal("9C", farewell[4..6]);
        Assert.Contains("1C" + RawClient.Text("c:1"), farewell, StringComparison.Ordinal);
        Assert.Contains("1C" + RawClient.Text("b:1"), await client.ReceiveUntilClosedAsync(), StringComparison.Ordinal);
        Assert.Equal("", await older.ReceiveUntilClosedAsync());
        await stopped;
    }

    [Fact]
    public async Task A_stop_waits_for_no_client_that_has_connected_and_sends_CONNECT_only_then()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.Directory.Leaving = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var silent = await host.OpenAsync();
        using var late = await host.OpenAsync();

        // Whoever came before this one has been accepted.
        using var client = await host.ConnectAsync();
        var start = Stopwatch.GetTimestamp();
        var stopped = host.StopAsync();
        Assert.Equal("leaves", await host.Grains.Directory.NextToldAsync());
        await late.SendAsync(RawClient.ConnectPacket("late", 5));
        host.Grains.Directory.Leaving.SetResult();
        Assert.Equal("", await late.ReceiveUntilClosedAsync());
        Assert.Equal("", await silent.ReceiveUntilClosedAsync());
        await stopped;
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_process_that_did_not_run_for_longer_than_the_limit_is_frozen_until_the_next_beat()
    {
        var time = new FakeTimeProvider();
        FreezeGuard guard = new(time, TimeSpan.FromSeconds(4));
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(guard.IsFrozen);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(guard.IsFrozen);
        guard.Beat();
        Assert.False(guard.IsFrozen);
    }
}
