namespace OrleansMqtt.Conformance.Tests.Subscriptions;

/// <summary>A session has a limit of subscriptions; of those beyond it the server says so, each by its own code.</summary>
public sealed class SubscriptionLimitTests(ConformanceServer server) : ConformanceTests(server)
{
    private const int Limit = 1_000;

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-3", "MQTT-3.8.4-5", "MQTT-3.9.3-1")]
    [Statement(V5, "MQTT-3.8.4-3", "MQTT-3.8.4-6", "MQTT-3.9.3-1", "section 3.9.3")]
    public async Task Subscriptions_beyond_the_limit_are_refused_and_the_others_live_on(MqttVersion version)
    {
        ConformanceServer.RequireOwn();
        var (topic, connect) = (NewTopic(), Connect.Durable(version, NewClientId()));
        var client = await ConnectAsync(connect);
        var refused = version is V5 ? 0x97 : 0x80;
        var filters = Enumerable.Range(0, Limit + 2).Select(i => $"{topic}/{i}").ToArray();

        await ExpectAsync([.. Enumerable.Repeat(1, Limit), refused, refused], client, 1, filters);

        // A subscription that is there can be replaced, and the place of one that is given up is free.
        await ExpectAsync([refused, 2, refused], client, 2, filters[Limit], filters[0], filters[Limit + 1]);
        await client.UnsubscribeAsync(filters[1]);
        await ExpectAsync([1, refused], client, 1, filters[Limit], filters[Limit + 1]);
        await client.DisconnectAsync();
        var after = await ConnectAsync(connect);
        await ExpectAsync([refused, 1], after, 1, filters[Limit + 1], filters[Limit]);
        foreach (var i in new[] { 1, Limit + 1, 0, Limit - 1, Limit })
        {
            await PublishAsync($"{topic}/{i}", 2, $"{i}");
        }

        // Of different topics, so in any order.
        List<(string, int)> received = [];
        while (received.Count < 3)
        {
            var message = await after.FindAsync<Publish>();
            received.Add((message.Payload, message.QoS));
            await after.AcknowledgeAsync(message);
        }

        Assert.Equal([("0", 2), ($"{Limit}", 1), ($"{Limit - 1}", 1)], received.Order());
        await after.ExpectNothingAsync();
    }

    /// <summary>Subscribes to all filters by one packet, and expects these codes.</summary>
    private static async Task ExpectAsync(int[] codes, Client client, int qoS, params string[] filters)
    {
        PacketWriter writer = new();
        writer.WriteUInt16(7);
        if (client.Version is V5)
        {
            writer.WriteByte(0);
        }

        foreach (var filter in filters)
        {
            writer.WriteText(filter);
            writer.WriteByte((byte)qoS);
        }

        await client.SendAsync(writer.ToPacket(0x82));
        Assert.Equal(codes, (await client.FindAsync<SubAck>()).Codes.Select(code => (int)code));
    }
}
