using static OrleansMqtt.Conformance.Tests.Protocol.RawPackets;

namespace OrleansMqtt.Conformance.Tests.Formats;

/// <summary>The form of CONNECT (section 3.1), and what it is answered with.</summary>
public sealed class ConnectFormatTests(ConformanceServer server) : ConformanceTests(server)
{
    private const string Letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    [Theory, InlineData(V311, "MQTX"), InlineData(V311, "mqtt"), InlineData(V311, ""), InlineData(V5, "MQTX"), InlineData(V5, "mqtt"), InlineData(V5, "MQTTT")]
    [Statement(V311, "MQTT-3.1.2-1")]
    [Statement(V5, "MQTT-3.1.2-1", "MQTT-3.2.2-8")]
    public Task Another_protocol_name_is_not_served(MqttVersion version, string name) =>
        ExpectMalformedConnectAsync(version, Connect(name, (byte)version, version, CleanStartFlag, Field(NewClientId())), 0x84);

    [Theory, InlineData(0), InlineData(3), InlineData(6), InlineData(127)]
    [Statement(V311, "MQTT-3.1.2-2", "MQTT-3.2.2-4", "MQTT-3.2.2-5")]
    [Statement(V5, "MQTT-3.1.2-2", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-3.2.2-8")]
    public async Task Another_protocol_level_is_refused(byte level)
    {
        var form = level > 5 ? V5 : V311;
        var client = await OpenAsync(form);
        await client.SendAsync(Connect("MQTT", level, form, CleanStartFlag, Field(NewClientId())));
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.Equal((false, form is V5 ? 0x84 : 1), (answer.IsSessionPresent, (int)answer.Code));
        Assert.Null(await client.ReadAsync());
    }

    [Theory]
    [InlineData(V311, "flag of a user name without one", UserNameFlag, 0), InlineData(V5, "flag of a user name without one", UserNameFlag, 0)]
    [InlineData(V311, "user name without its flag", 0, 1), InlineData(V5, "user name without its flag", 0, 1)]
    [InlineData(V311, "flag of a password without one", UserNameFlag | PasswordFlag, 1), InlineData(V5, "flag of a password without one", UserNameFlag | PasswordFlag, 1)]
    [InlineData(V311, "password without its flag", UserNameFlag, 2), InlineData(V5, "password without its flag", UserNameFlag, 2)]
    [InlineData(V311, "password without a user name", PasswordFlag, 1)]
    [Statement(V311, "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.2-20", "MQTT-3.1.2-21", "MQTT-3.1.2-22", "MQTT-3.1.4-1", "MQTT-3.2.2-6")]
    [Statement(V5, "MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.4-1")]
    public Task User_name_and_password_go_with_their_flags(MqttVersion version, string what, int flags, int fields)
    {
        Assert.NotEmpty(what);
        return ExpectMalformedConnectAsync(version, Connect(version, (byte)(CleanStartFlag | flags), [Field(NewClientId()), .. Enumerable.Repeat(Field("u"), fields)]), 0x81);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.3-3", "MQTT-3.1.4-1", "MQTT-3.2.2-6")]
    [Statement(V5, "MQTT-3.1.3-3", "MQTT-3.1.4-1")]
    public async Task Without_a_client_identifier_or_with_more_than_its_fields_it_is_malformed(MqttVersion version)
    {
        await ExpectMalformedConnectAsync(version, Connect(version, CleanStartFlag), 0x81);
        await ExpectMalformedConnectAsync(version, Connect(version, CleanStartFlag, [0, 9, 0x61]), 0x81);
        await ExpectMalformedConnectAsync(version, Connect(version, CleanStartFlag, Field(NewClientId()), [0]), 0x81);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.3-1", "MQTT-3.1.3-3", "MQTT-3.1.2-9", "MQTT-3.1.2-19", "MQTT-3.1.2-21")]
    [Statement(V5, "MQTT-3.1.3-1", "MQTT-3.1.3-3", "MQTT-3.1.2-9", "MQTT-3.1.2-17", "MQTT-3.1.2-19")]
    public async Task The_fields_of_the_payload_are_read_in_their_order(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var client = await OpenAsync(version);
        await client.SendAsync(Connect(
            version, UserNameFlag | PasswordFlag | WillFlag | 0x08 | CleanStartFlag, Field(NewClientId()), version is V5 ? [0] : [], Field(topic), Field("the will"), Field("user"), Field("password")));
        Assert.Equal(0, (await client.ReceiveAsync<ConnAck>()).Code);
        client.Drop();
        Assert.Equal("the will", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V311, "MQTT-3.1.3-5", "MQTT-3.1.4-4")]
    [Statement(V5, "MQTT-3.1.3-5", "MQTT-3.1.4-5")]
    public async Task Client_identifiers_of_1_to_23_letters_and_digits_are_accepted()
    {
        foreach (var version in (MqttVersion[])[V311, V5])
        {
            foreach (var id in (string[])["z", Letters[..23], Letters[23..46], Letters[39..]])
            {
                (await ConnectAsync(new Connect(version, id))).Dispose();
            }
        }
    }

    [Fact]
    [Statement(V311, "MQTT-3.1.3-6")]
    [Statement(V5, "MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")]
    public async Task Clients_without_an_identifier_are_different_clients()
    {
        List<Client> clients = [];
        foreach (var version in (MqttVersion[])[V311, V311, V5, V5])
        {
            clients.Add(await ConnectAsync(new Connect(version, "")));
        }

        Assert.NotEqual(clients[2].ConnAck.Properties.Text(PropertyId.AssignedClientId), clients[3].ConnAck.Properties.Text(PropertyId.AssignedClientId));
        foreach (var client in clients)
        {
            await client.PingAsync();
        }
    }

    [Theory, InlineData(V311, 2), InlineData(V5, 0x85)]
    [Statement(V311, "MQTT-3.1.3-9", "MQTT-3.2.2-4", "MQTT-3.2.2-5")]
    [Statement(V5, "MQTT-3.1.3-8", "MQTT-3.1.4-2", "MQTT-3.2.2-7", "MQTT-3.2.2-8")]
    public async Task A_client_identifier_that_the_server_uses_itself_is_rejected(MqttVersion version, byte code)
    {
        ConformanceServer.RequireOwn();
        var client = await OpenAsync(version);
        await client.SendAsync(new Connect(version, "$share/a/b").Encode());
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.Equal((false, code), (answer.IsSessionPresent, answer.Code));
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    [Statement(V311, "MQTT-3.1.3-8", "MQTT-3.1.4-5", "MQTT-3.2.2-4", "MQTT-3.2.2-5")]
    public async Task Without_an_identifier_and_without_a_clean_session_a_client_of_MQTT_311_is_rejected_and_nothing_more_is_read()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V311, topic, 1);
        var client = await OpenAsync(V311);
        await client.SendAsync(new Connect(V311, "") { IsCleanStart = false }.Encode(), new Publish(topic, "not processed") { QoS = 1, PacketId = 1 }.Encode(V311));
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.Equal((false, 2), (answer.IsSessionPresent, (int)answer.Code));
        Assert.Null(await client.ReadAsync());
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.2.2-1", "MQTT-3.2.2-2", "MQTT-4.12.0-6")]
    public async Task CONNACK_has_no_flags_but_Session_Present_and_no_authentication_method()
    {
        // The client checks the reserved bits of each CONNACK.
        var client = await ConnectAsync(V5);
        Assert.False(client.ConnAck.IsSessionPresent);
        Assert.Null(client.ConnAck.Properties.Text(PropertyId.AuthenticationMethod));
        await client.PingAsync();
    }

    [Theory, InlineData(false), InlineData(true)]
    [Statement(V5, "MQTT-4.12.0-1", "MQTT-4.12.0-4", "MQTT-3.1.4-2", "MQTT-3.2.2-8")]
    public async Task An_unknown_authentication_method_is_refused(bool hasData)
    {
        var connect = new Connect(V5, NewClientId()).With(PropertyId.AuthenticationMethod, "conformance-unknown");
        var client = await OpenAsync(V5);
        await client.SendAsync((hasData ? connect.With(PropertyId.AuthenticationData, new byte[] { 1 }) : connect).Encode());
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.Contains(answer.Code, (byte[])[0x8C, 0x87]);
        Assert.Null(await client.ReadAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-7.1.1-1", "MQTT-3.2.0-1")]
    [Statement(V5, "MQTT-4.2-1", "MQTT-3.2.0-1")]
    public async Task Packets_may_come_byte_by_byte_or_all_at_once(MqttVersion version)
    {
        var topic = NewTopic();
        byte[][] packets = [new Connect(version, NewClientId()).Encode(), new Subscribe(1, topic, 1).Encode(version), new Publish(topic, "own") { QoS = 1, PacketId = 2 }.Encode(version)];
        foreach (var parts in (byte[][][])[packets, [.. packets.SelectMany(packet => packet).Select(value => new[] { value })]])
        {
            var client = await OpenAsync(version);
            foreach (var part in parts)
            {
                await client.SendAsync(part);
            }

            Assert.Equal(0, (await client.ReceiveAsync<ConnAck>()).Code);
            Assert.Equal(1, (await client.FindAsync<SubAck>()).PacketId);
            Assert.Equal(2, (await client.FindAsync<PubAck>()).PacketId);
            Assert.Equal("own", await client.ReceiveTextAsync());
            await client.DisconnectAsync();
        }
    }
}
