using System.Diagnostics;
using System.Net;

namespace OrleansMqtt.Conformance.Tests;

/// <summary>What tests of all subjects need. Clients and topics are each test's own.</summary>
public abstract class ConformanceTests(EndPoint endPoint) : IDisposable
{
    private readonly List<Client> _clients = [];
    private Client? _publisher;

    protected ConformanceTests(ConformanceServer server)
        : this(server.EndPoint)
    {
    }

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        GC.SuppressFinalize(this);
    }

    private protected EndPoint EndPoint => endPoint;

    private protected static string NewTopic() => $"conformance/{Guid.NewGuid():N}";

    private protected static string NewClientId() => $"c{Guid.NewGuid():N}"[..23];

    /// <summary>A connection with nothing sent yet.</summary>
    private protected async Task<Client> OpenAsync(MqttVersion version)
    {
        var client = await Client.OpenAsync(endPoint, version);
        _clients.Add(client);
        return client;
    }

    private protected async Task<Client> ConnectAsync(Connect connect)
    {
        var client = await OpenAsync(connect.Version);
        await client.ConnectAsync(connect);
        return client;
    }

    /// <summary>A client without a session.</summary>
    private protected Task<Client> ConnectAsync(MqttVersion version) => ConnectAsync(new Connect(version, NewClientId()));

    private protected async Task<Client> SubscribeAsync(Connect connect, string topic, int qoS)
    {
        var client = await ConnectAsync(connect);
        await client.SubscribeAsync(topic, qoS);
        return client;
    }

    /// <summary>A client without a session that is subscribed.</summary>
    private protected Task<Client> SubscribeAsync(MqttVersion version, string topic, int qoS) => SubscribeAsync(new Connect(version, NewClientId()), topic, qoS);

    /// <summary>One client of the test publishes these, each to the end of its exchange.</summary>
    private protected async Task PublishAsync(string topic, int qoS, params string[] payloads)
    {
        foreach (var payload in payloads)
        {
            await PublishAsync(new Publish(topic, payload) { QoS = qoS });
        }
    }

    private protected async Task PublishAsync(Publish message)
    {
        _publisher ??= await ConnectAsync(V5);
        await _publisher.PublishAsync(message);
    }

    /// <summary>Nothing comes to this subscriber of the topic but what is published now: whatever else was on its way would be there before.</summary>
    private protected async Task ExpectNextAsync(Client subscriber, string topic)
    {
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await subscriber.ReceiveTextAsync());
        await subscriber.ExpectNothingAsync();
    }

    /// <summary>The server has to close the connection without accepting it; it may say why, with an error.</summary>
    private protected async Task ExpectRefusedAsync(Connect connect)
    {
        var client = await OpenAsync(connect.Version);
        await client.SendAsync(connect.Encode());
        if (await client.ReadAsync() is { } answer)
        {
            Assert.True(answer is ConnAck { IsSessionPresent: false } refusal && refusal.Code >= (connect.Version is V5 ? 0x80 : 1), $"The server answers {connect} with {answer}.");
            Assert.Null(await client.ReadAsync());
        }
    }

    /// <summary>A CONNECT of wrong form: MQTT 3.1.1 knows no answer to it, MQTT 5 may have one of these.</summary>
    private protected async Task ExpectMalformedConnectAsync(MqttVersion version, byte[] connect, params byte[] codes)
    {
        var client = await OpenAsync(version);
        await client.SendAsync(connect);
        if (await client.ReadAsync() is { } answer)
        {
            Assert.True(version is V5 && answer is ConnAck { IsSessionPresent: false } refusal && codes.Contains(refusal.Code), $"The server answers {Convert.ToHexString(connect)} with {answer}.");
            Assert.Null(await client.ReadAsync());
        }
    }

    /// <summary>A connected client that sends this is disconnected, in MQTT 5 with one of these reasons.</summary>
    private protected async Task ExpectCloseAsync(MqttVersion version, byte[] packet, params byte[] codes)
    {
        var client = await ConnectAsync(version);
        await client.SendAsync(packet);
        var reason = await client.ReceiveCloseAsync();
        Assert.True(version is V5 ? codes.Contains(reason?.Code ?? 0) : reason is null, $"The server answers {Convert.ToHexString(packet)} with {reason}.");
    }

    /// <summary>Waits until the session that a lost connection leaves is offline, and discards it or resumes it once.</summary>
    private protected async Task ReconnectAndLeaveAsync(Connect connect) => await (await ConnectAsync(connect with { Will = null })).DisconnectAsync();

    /// <summary>Some three seconds of the server: the time after which it closes a silent connection with Keep Alive 2.</summary>
    private protected async Task PassThreeSecondsAsync()
    {
        var watch = Stopwatch.StartNew();
        var silent = await ConnectAsync(new Connect(V5, NewClientId()) { KeepAlive = 2 });
        await silent.ReceiveCloseAsync(TimeSpan.FromSeconds(12));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(12));
    }
}
