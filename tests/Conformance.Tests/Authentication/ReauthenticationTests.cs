using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.Authentication;

/// <summary>Re-authentication (section 4.12.1).</summary>
public sealed class ReauthenticationTests(AuthenticatingServer server) : AuthenticationConformanceTests(server)
{
    private readonly ScramClient _scram = new(AuthenticatingServer.User, AuthenticatingServer.Password);

    [Fact]
    [Statement(V5, "section 4.12.1", "section 3.15.2.1", "MQTT-4.12.0-2", "MQTT-4.12.0-5")]
    public async Task A_client_authenticates_again_as_often_as_it_likes_while_messages_go_on()
    {
        var topic = NewTopic();
        var client = await ConnectByScramAsync();
        await client.SubscribeAsync(topic, 1);
        for (var i = 0; i < 2; i++)
        {
            ScramClient scram = new(AuthenticatingServer.User, AuthenticatingServer.Password);
            await client.SendAsync(new Auth(Auth.Again, Method, scram.First).Encode());
            var challenge = await client.ReceiveAsync<Auth>();
            Assert.Equal((Auth.Continue, Method), (challenge.Code, challenge.Method));
            await client.PublishAsync(new Publish(topic, $"message {i}") { QoS = 1 });
            Assert.Equal($"message {i}", await client.ReceiveTextAsync());
            await client.PingAsync();
            await client.SendAsync(new Auth(Auth.Continue, Method, scram.Finish(challenge.Data)).Encode());
            var success = await client.ReceiveAsync<Auth>();
            Assert.Equal((0, Method, scram.ServerFinal()), (success.Code, success.Method, success.Data));
        }

        await client.PublishAsync(new Publish(topic, "last") { QoS = 1 });
        Assert.Equal("last", await client.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-4.12.1-2", "section 3.14.2.1")]
    public async Task One_that_fails_ends_the_connection_with_its_will()
    {
        var topic = NewTopic();
        var subscriber = await ConnectAsync(NewConnect());
        await subscriber.SubscribeAsync(topic, 1);
        var client = await ConnectByScramAsync(new Connect(V5, NewClientId()) { Will = new(topic, "will") });
        ScramClient wrong = new(AuthenticatingServer.User, "wrong");
        await client.SendAsync(new Auth(Auth.Again, Method, wrong.First).Encode());
        await client.SendAsync(new Auth(Auth.Continue, Method, wrong.Finish((await client.ReceiveAsync<Auth>()).Data)).Encode());
        await client.ExpectCloseAsync(0x87);
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-4.12.1-2")]
    public async Task It_may_not_be_as_another_user()
    {
        var client = await ConnectByScramAsync();
        ScramClient other = new(AuthenticatingServer.OtherUser, AuthenticatingServer.OtherPassword);
        await client.SendAsync(new Auth(Auth.Again, Method, other.First).Encode());
        await client.SendAsync(new Auth(Auth.Continue, Method, other.Finish((await client.ReceiveAsync<Auth>()).Data)).Encode());
        await client.ExpectCloseAsync(0x87);
    }

    public static TheoryData<string, byte[], byte> WrongPackets => new()
    {
        { "no method", [0xF0, 2, 0x19, 0], 0x82 },
        { "nothing", [0xF0, 0], 0x82 },
        { "another method", new Auth(Auth.Again, "SCRAM-SHA-1", "").Encode(), 0x82 },
        { "one that continues nothing", new Auth(Auth.Continue, Method, "").Encode(), 0x82 },
        { "the server's reason code", new Auth(0, Method, "").Encode(), 0x82 },
        { "another reason code", new Auth(0x1A, Method, "").Encode(), 0x81 },
        { "reserved flags", [0xF2, 2, 0x19, 0], 0x81 },
    };

    [Theory, MemberData(nameof(WrongPackets))]
    [Statement(V5, "MQTT-4.12.1-1", "MQTT-4.12.0-3", "MQTT-3.15.1-1", "MQTT-3.15.2-1", "section 3.15.2.2.2")]
    public async Task A_wrong_AUTH_ends_the_connection(string what, byte[] packet, byte code)
    {
        Assert.NotEmpty(what);
        var client = await ConnectByScramAsync();
        await client.SendAsync(packet);
        await client.ExpectCloseAsync(code);
    }

    [Fact]
    [Statement(V5, "section 4.12.1", "MQTT-4.13.1-1")]
    public async Task One_may_not_begin_within_another()
    {
        var client = await ConnectByScramAsync();
        await client.SendAsync(new Auth(Auth.Again, Method, _scram.First).Encode());
        await client.ReceiveAsync<Auth>();
        await client.SendAsync(new Auth(Auth.Again, Method, _scram.First).Encode());
        await client.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "section 4.12.1")]
    public async Task One_that_stalls_ends_the_connection()
    {
        var watch = Stopwatch.StartNew();
        var client = await ConnectByScramAsync();
        await client.SendAsync(new Auth(Auth.Again, Method, _scram.First).Encode());
        await client.ReceiveAsync<Auth>();
        await client.ExpectCloseAsync(0x87);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(7));
    }
}
