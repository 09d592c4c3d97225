using OrleansMqtt.Edge;

namespace OrleansMqtt.Edge.Tests;

/// <summary>Another owner of a session partition takes the connections: they stay open, and what the edge knows of them is handed over.</summary>
public sealed class HandOverTests
{
    [Fact]
    public async Task A_connection_is_handed_over_with_its_subscriptions_and_what_it_has_not_acknowledged()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync($"820B0001 00 {RawClient.Text("a")} 01 {RawClient.Text("b")} 02 A2060002 00 {RawClient.Text("b")}");
        Assert.Equal("900500010001" + "02", await client.ReceivePacketAsync());
        await client.ReceivePacketAsync();
        var id = host.Grains.Client("c").ConnectionId!.Value;
        host.Grains.Send([Message(7), Message(8), Message(9), Message(3)], [
            new Delivery(id, 0, 1, 1, false, source: 4),
            new Delivery(id, 1, 2, 2, false, source: 4),
            new Delivery(id, 2, 3, 1, false, source: 5),
            new Delivery(id, 3, 4, 1, false, source: ~5),
        ]);
        for (var i = 0; i < 4; i++)
        {
            await client.ReceivePacketAsync();
        }

        await client.SendAsync("40020001 50020002");
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 2);

        var connection = Assert.Single(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2)!);
        Assert.Equal(("c", id, host.Grains.Client("c").Epoch, 4), (connection.ClientId, connection.ConnectionId, connection.Epoch!.Value, connection.LastPacketId));
        Assert.Equal("a", Assert.Single(connection.Subscriptions).Subscription.Filter);
        Assert.Equal(
            [
                new UnacknowledgedDelivery(2, 4, 8, 2, false, DeliveryStep.Received),
                new UnacknowledgedDelivery(3, 5, 9, 1, false, DeliveryStep.Sent),
                new UnacknowledgedDelivery(4, ~5, 3, 1, false, DeliveryStep.Sent),
            ],
            connection.Unacknowledged);
        Assert.Equal([new SourceOffset(4, 8), new SourceOffset(5, 9)], connection.Taken);
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task Only_connections_of_that_partition_and_of_earlier_owners_are_handed_over()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        Assert.Empty(host.Context.Deliveries.HandOver(sessionPartition: 1, generation: 2)!);
        Assert.Empty(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 1)!);
        Assert.Single(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 3)!);
        Assert.Null(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2));
    }

    [Fact]
    public async Task A_subscription_that_an_owner_accepts_after_it_was_handed_over_is_asked_of_the_next_owner_too()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        var gate = host.Grains.SubscribeGate = new();
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 01");
        await host.Grains.When(() => host.Grains.Calls.Contains("subscribe a:1"));
        Assert.Empty(Assert.Single(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2)!).Subscriptions);

        gate.SetResult();
        Assert.Equal("9004000100" + "01", await client.ReceivePacketAsync());
        Assert.Equal(2, host.Grains.Calls.Count(call => call == "subscribe a:1"));
        Assert.Single(Assert.Single(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 3)!).Subscriptions);
    }

    [Fact]
    public async Task A_connection_without_an_answer_to_its_CONNECT_is_handed_over_and_takes_the_answer_of_the_owner_before()
    {
        await using var host = await EdgeHost.StartAsync();
        var gate = host.Grains.ConnectGate = new();
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5, properties: "110000003C", flags: 0));
        await host.Grains.When(() => host.Grains.Calls.Contains("connect c"));
        var connection = Assert.Single(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2)!);
        Assert.Equal(("c", host.Grains.Client("c").ConnectionId!.Value, null), (connection.ClientId, connection.ConnectionId, connection.Epoch));

        host.Grains.Generation = 2;
        host.Grains.Send(connection.ConnectionId, (Message(1), 1, 1));
        gate.SetResult();
        Assert.StartsWith("20", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        await client.ReceivePacketAsync();
        await client.SendAsync("40020001");
        await host.Grains.When(() => host.Grains.AcknowledgedGenerations.Contains(2));
        Assert.Equal(1, host.Grains.Calls.Count(call => call == "connect c"));
    }

    [Fact]
    public async Task A_session_that_is_not_stored_is_asked_of_the_next_owner_when_the_answer_comes_from_the_owner_before()
    {
        await using var host = await EdgeHost.StartAsync();
        var gate = host.Grains.ConnectGate = new();
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5));
        await host.Grains.When(() => host.Grains.Calls.Contains("connect c"));
        host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2);
        (host.Grains.Generation, host.Grains.ConnectGate) = (2, null);
        gate.SetResult();

        Assert.StartsWith("20", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        Assert.Equal(2, host.Grains.Calls.Count(call => call == "connect c"));
        Assert.Equal(DeliveryResult.Accepted, host.Grains.Send(host.Grains.Client("c").ConnectionId!.Value, (Message(1), 1, 1)));
        await client.ReceivePacketAsync();
    }

    [Fact]
    public async Task Nothing_of_the_earlier_owner_is_taken_after_that_and_acknowledgements_are_for_the_new_one()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        var id = host.Grains.Client("c").ConnectionId!.Value;
        host.Grains.Send(id, (Message(1), 1, 1));
        await client.ReceivePacketAsync();
        host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2);

        Assert.Equal(DeliveryResult.StaleGeneration, host.Grains.Send(id, (Message(2), 2, 1)));
        await client.SendAsync("40020001");
        await host.Grains.When(() => host.Grains.AcknowledgedGenerations.Contains(2));
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task Acknowledgements_that_could_not_be_sent_are_handed_over_and_not_sent_to_the_new_owner()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        var id = host.Grains.Client("c").ConnectionId!.Value;
        host.Grains.Send(id, (Message(1), 1, 1), (Message(2), 2, 1));
        await client.ReceivePacketAsync();
        await client.ReceivePacketAsync();
        host.Grains.Failure = new InvalidOperationException("the owner is dead");
        await client.SendAsync("40020001");
        await client.ExpectOnlyPingResponseAsync();
        var connection = Assert.Single(host.Context.Deliveries.HandOver(sessionPartition: 0, generation: 2)!);
        Assert.Equal(2, Assert.Single(connection.Unacknowledged).PacketId);

        host.Grains.Failure = null;
        await client.SendAsync("40020002");
        await host.Grains.When(() => host.Grains.Acknowledgements.Count > 0);
        Assert.Equal(2, Assert.Single(host.Grains.Acknowledgements).PacketId);
    }

    [Fact]
    public async Task A_subscribe_waits_for_the_next_owner()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        host.Grains.Failure = new InvalidOperationException("the owner is dead");
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 01");
        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Failure = null;
        Assert.Equal("90040001" + "0001", await client.ReceivePacketAsync());
    }

    private static MqttMessage Message(long offset) => new() { Topic = "a", Payload = default, QoS = 2, Offset = offset };
}
