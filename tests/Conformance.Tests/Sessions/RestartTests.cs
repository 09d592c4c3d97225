namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>Sessions outlive the server's process (section 4.1): it is killed, and another one takes its place.</summary>
public sealed class RestartTests
{
    private static readonly SemaphoreSlim Places = new(2);

    [Fact]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-4.1.0-1", "MQTT-4.5.0-1")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-4.5.0-1", "section 4.1")]
    public Task Subscriptions_and_messages_that_wait_are_kept() => RunAsync(async (server, version) =>
    {
        var (connect, topic) = (Connect.Durable(version, $"subscriber {version}"), $"{version}");
        using (var client = await server.ConnectAsync(connect))
        {
            await client.SubscribeAsync(topic, 2);
            await client.DisconnectAsync();
        }

        using (var publisher = await server.ConnectAsync(new Connect(version, "publisher")))
        {
            for (var i = 0; i < 10; i++)
            {
                await publisher.PublishAsync(new Publish(topic, $"{i}") { QoS = 1 + (i % 2) });
            }
        }

        return async () =>
        {
            using var after = await server.ConnectAsync(connect);
            Assert.True(after.ConnAck.IsSessionPresent);
            for (var i = 0; i < 10; i++)
            {
                var message = await after.FindAsync<Publish>();
                Assert.Equal(($"{i}", 1 + (i % 2), false), (message.Payload, message.QoS, message.IsDuplicate));
                await after.AcknowledgeAsync(message);
            }

            await after.PublishAsync(new Publish(topic, "subscribed") { QoS = 1 });
            Assert.Equal("subscribed", await after.ReceiveTextAsync());
            await after.ExpectNothingAsync();
        };
    });

    [Fact]
    [Statement(V311, "MQTT-4.4.0-1", "MQTT-4.6.0-1", "MQTT-3.3.1-1", "MQTT-4.3.3-1", "MQTT-4.1.0-1")]
    [Statement(V5, "MQTT-4.4.0-1", "MQTT-4.6.0-1", "MQTT-3.3.1-1", "MQTT-4.3.3-6", "section 4.1")]
    public Task Exchanges_with_a_receiver_go_on() => RunAsync(async (server, version) =>
    {
        var (connect, topic) = (Connect.Durable(version, $"subscriber {version}"), $"{version}");
        var before = await server.ConnectAsync(connect);
        await before.SubscribeAsync(topic, 2);
        using (var publisher = await server.ConnectAsync(new Connect(version, "publisher")))
        {
            foreach (var (qoS, payload) in new[] { (2, "1"), (2, "2"), (1, "3"), (2, "4"), (1, "5") })
            {
                await publisher.PublishAsync(new Publish(topic, payload) { QoS = qoS });
            }
        }

        var first = await before.ReceiveMessagesAsync(5);
        await before.SendAsync(new PubRec(first[0].PacketId).Encode());
        Assert.Equal(first[0].PacketId, (await before.ReceiveAsync<PubRel>()).PacketId);
        return async () =>
        {
            before.Dispose();
            using var after = await server.ConnectAsync(connect);
            Assert.True(after.ConnAck.IsSessionPresent);
            Assert.Equal(first[0].PacketId, (await after.FindAsync<PubRel>()).PacketId);
            await after.SendAsync(new PubComp(first[0].PacketId).Encode());
            var again = await after.ReceiveMessagesAsync(4);

            // At least once is all that QoS 1 promises after a failure of the server: whether it knows that it sent the message is left open.
            Assert.Equal([(first[1].PacketId, "2", true), (first[3].PacketId, "4", true)], again.Where(message => message.QoS == 2).Select(message => (message.PacketId, message.Payload, message.IsDuplicate)));
            Assert.Equal(["3", "5"], again.Where(message => message.QoS == 1).Select(message => message.Payload));
            Assert.Equal(4, again.Select(message => message.PacketId).Distinct().Count());
            foreach (var message in again)
            {
                await after.AcknowledgeAsync(message);
            }

            await after.ExpectNothingAsync();
        };
    });

    [Fact]
    [Statement(V311, "MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-4.1.0-1")]
    [Statement(V5, "MQTT-3.3.1-5", "MQTT-3.3.1-9", "section 4.1")]
    public Task Retained_messages_are_kept_and_so_is_what_of_them_a_session_has_still_to_get() => RunAsync(async (server, version) =>
    {
        const int Count = 40;
        var connect = Connect.Durable(version, $"subscriber {version}");
        connect = version is V5 ? connect.With(PropertyId.ReceiveMaximum, 5) : connect;
        using (var publisher = await server.ConnectAsync(new Connect(version, "publisher")))
        {
            for (var i = 0; i < Count; i++)
            {
                await publisher.PublishAsync(new Publish($"{version}/{i}", $"{i}") { QoS = 1 + (i % 2), IsRetained = true });
            }

            await publisher.PublishAsync(new Publish($"{version}/removed", "removed") { QoS = 1, IsRetained = true });
            await publisher.PublishAsync(new Publish($"{version}/removed", "") { QoS = 2, IsRetained = true });
        }

        var before = await server.ConnectAsync(connect);
        await before.SubscribeAsync($"{version}/#", 2);
        for (var i = 0; i < 3; i++)
        {
            await before.AcknowledgeAsync(await before.FindAsync<Publish>());
        }

        await before.ReceiveMessagesAsync(2);
        return async () =>
        {
            before.Dispose();
            using var anew = await server.ConnectAsync(new Connect(version, "another subscriber"));
            await anew.SubscribeAsync($"{version}/#", 1);
            HashSet<string> all = [];
            while (all.Count < Count)
            {
                var message = await anew.ReceiveAsync<Publish>();
                Assert.True(message.IsRetained);
                Assert.True(all.Add(message.Payload), $"{message.Payload} came twice.");
                await anew.AcknowledgeAsync(message);
            }

            await anew.ExpectNothingAsync();
            using var after = await server.ConnectAsync(connect);
            Assert.True(after.ConnAck.IsSessionPresent);
            Dictionary<string, int> received = [];
            while (await NextAsync(after) is { } message)
            {
                Assert.True(message.IsRetained);
                received[message.Payload] = received.GetValueOrDefault(message.Payload) + 1;
            }

            // What was acknowledged of QoS 1 may come again after a failure of the server, what of QoS 2 may not.
            Assert.InRange(received.Count, Count - 3, Count);
            Assert.All(received.Values, times => Assert.Equal(1, times));
        };

        static async Task<Publish?> NextAsync(Client client)
        {
            // The answer to a ping behind nothing else ends it; the server sends no page without an acknowledgement before it.
            for (var pings = 0; pings < 20; pings++)
            {
                await client.SendAsync(new byte[] { 0xC0, 0 });
                switch (await client.ReadAsync())
                {
                    case Publish message:
                        await client.FindAsync<PingResponse>();
                        await client.AcknowledgeAsync(message);
                        return message;
                    case PubRel release:
                        // Of an exchange whose end the server has not stored.
                        await client.SendAsync(new PubComp(release.PacketId).Encode());
                        await client.FindAsync<PingResponse>();
                        break;
                    case PingResponse:
                        await client.PublishAsync(new Publish("time", "passes") { QoS = 1 });
                        break;
                    case var packet:
                        Assert.Fail($"Expected a message, but {packet}.");
                        break;
                }
            }

            return null;
        }
    });

    [Fact]
    [Statement(V311, "MQTT-4.3.3-2", "MQTT-4.1.0-1")]
    [Statement(V5, "MQTT-4.3.3-10", "MQTT-4.3.3-11", "section 4.1")]
    public Task Exchanges_with_a_sender_go_on() => RunAsync(async (server, version) =>
    {
        var (subscribing, publishing, topic) = (Connect.Durable(version, $"subscriber {version}"), Connect.Durable(version, $"publisher {version}"), $"{version}");
        using (var subscriber = await server.ConnectAsync(subscribing))
        {
            await subscriber.SubscribeAsync(topic, 2);
            await subscriber.DisconnectAsync();
        }

        var before = await server.ConnectAsync(publishing);
        Publish[] messages = [new(topic, "1") { QoS = 2, PacketId = 1 }, new(topic, "2") { QoS = 2, PacketId = 2 }];
        foreach (var message in messages)
        {
            await before.SendAsync(message.Encode(version));
            await before.ReceiveAsync<PubRec>();
        }

        return async () =>
        {
            before.Dispose();
            using var after = await server.ConnectAsync(publishing);
            Assert.True(after.ConnAck.IsSessionPresent);
            foreach (var message in messages)
            {
                await after.SendAsync((message with { IsDuplicate = true }).Encode(version));
                Assert.Equal(message.PacketId, (await after.ReceiveAsync<PubRec>()).PacketId);
                await after.SendAsync(new PubRel(message.PacketId).Encode());
                var completed = await after.ReceiveAsync<PubComp>();
                Assert.Equal((message.PacketId, (byte)0), (completed.PacketId, completed.Code));
            }

            await after.PublishAsync(new Publish(topic, "next") { QoS = 2 });
            using var receiver = await server.ConnectAsync(subscribing);
            Assert.Equal(["1", "2", "next"], await receiver.ReceiveTextsAsync(3));
            await receiver.ExpectNothingAsync();
        };
    });

    [Fact]
    [Statement(V311, "MQTT-3.1.2-6")]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-4.1.0-2", "MQTT-3.3.2-5")]
    public Task What_has_ended_or_expired_meanwhile_does_not_come_back() => RunAsync(async server =>
    {
        var (expiring, staying) = (Connect.Durable(V5, "expiring", expiry: 1), Connect.Durable(V5, "staying"));
        using var clean = await server.ConnectAsync(new Connect(V311, "clean"));
        using var zero = await server.ConnectAsync(new Connect(V5, "zero"));
        using (var client = await server.ConnectAsync(expiring))
        {
            await client.DisconnectAsync();
        }

        using (var client = await server.ConnectAsync(staying))
        {
            await client.SubscribeAsync("a", 1);
            await client.DisconnectAsync();
        }

        using (var publisher = await server.ConnectAsync(new Connect(V5, "publisher")))
        {
            await publisher.PublishAsync(new Publish("a", "expired") { QoS = 1, Properties = new() { { PropertyId.MessageExpiry, 1 } } });
            await publisher.PublishAsync(new Publish("a", "kept") { QoS = 1, Properties = new() { { PropertyId.MessageExpiry, 1000 } } });
        }

        await server.KillAndStartAgainAsync();
        using (var silent = await server.ConnectAsync(new Connect(V5, "silent") { KeepAlive = 1 }))
        {
            await silent.ReceiveCloseAsync();
        }

        foreach (var connect in new[] { Connect.Durable(V311, "clean"), Connect.Durable(V5, "zero"), expiring })
        {
            using var client = await server.ConnectAsync(connect);
            Assert.False(client.ConnAck.IsSessionPresent, $"The session of {connect.ClientId} is back.");
        }

        using var after = await server.ConnectAsync(staying);
        Assert.True(after.ConnAck.IsSessionPresent);
        var message = await after.ReceiveAsync<Publish>();
        Assert.Equal("kept", message.Payload);
        Assert.InRange(message.Properties.Number(PropertyId.MessageExpiry) ?? 0, 900u, 999u);
    });

    [Fact]
    [Statement(V311, "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    [Statement(V5, "MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    public Task Wills_of_connections_that_ended_with_the_process_are_published_once() => RunAsync(async server =>
    {
        var subscribing = Connect.Durable(V5, "subscriber");
        using (var subscriber = await server.ConnectAsync(subscribing))
        {
            await subscriber.SubscribeAsync("will/#", 1);
            await subscriber.DisconnectAsync();
        }

        var silenced = Connect.Durable(V5, "normal") with { Will = new("will/normal", "will") };
        using (var normal = await server.ConnectAsync(silenced))
        {
            await normal.DisconnectAsync();
        }

        using var clean = await server.ConnectAsync(new Connect(V311, "clean") { Will = new("will/clean", "will") });
        using var durable = await server.ConnectAsync(Connect.Durable(V311, "durable") with { Will = new("will/durable", "will") });
        using var delayed = await server.ConnectAsync(Connect.Durable(V5, "delayed") with { Will = Will.Delayed("will/delayed", "will", 1) });
        using var ending = await server.ConnectAsync(new Connect(V5, "ending") { Will = Will.Delayed("will/ending", "will", 3600) });
        await server.KillAndStartAgainAsync();
        string[] expected = ["will/clean", "will/delayed", "will/durable", "will/ending"];
        using (var after = await server.ConnectAsync(subscribing))
        {
            Assert.Equal(expected, (await after.ReceiveMessagesAsync(4)).Select(message => message.Topic).Order());
        }

        // They are not acknowledged: after another restart each of them arrives once again, and no will that was published a second time.
        await server.KillAndStartAgainAsync();
        using var last = await server.ConnectAsync(subscribing);
        Assert.Equal(expected, (await last.ReceiveMessagesAsync(4)).Select(message => message.Topic).Order());
        foreach (var topic in new[] { "clean", "delayed", "durable", "ending", "normal" })
        {
            await last.PublishAsync(new Publish($"will/{topic}", "no will before") { QoS = 1 });
            Assert.Equal("no will before", await last.ReceiveTextAsync());
        }
    });

    /// <summary>Both versions prepare something on one server and look at it after the restart.</summary>
    private static Task RunAsync(Func<RestartableServer, MqttVersion, Task<Func<Task>>> prepareAsync) => RunAsync(async server =>
    {
        var (checkV311Async, checkV5Async) = (await prepareAsync(server, V311), await prepareAsync(server, V5));
        await server.KillAndStartAgainAsync();
        await checkV311Async();
        await checkV5Async();
    });

    private static async Task RunAsync(Func<RestartableServer, Task> test)
    {
        ConformanceServer.RequireOwn();
        await Places.WaitAsync();
        try
        {
            await using var server = await RestartableServer.StartAsync();
            await test(server);
        }
        finally
        {
            Places.Release();
        }
    }
}
