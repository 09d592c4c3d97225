using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.Authentication;

/// <summary>Enhanced authentication up to CONNACK (sections 3.15 and 4.12).</summary>
public sealed class EnhancedAuthenticationTests(AuthenticatingServer server) : AuthenticationConformanceTests(server)
{
    [Theory, InlineData("SCRAM-SHA-1"), InlineData("scram-sha-256"), InlineData("")]
    [Statement(V5, "MQTT-4.12.0-1", "section 3.1.2.11.9", "MQTT-3.1.4-2")]
    public async Task A_method_that_the_server_does_not_have_is_refused(string method)
    {
        var client = await OpenAsync(V5);
        await client.SendAsync(NewConnect().With(PropertyId.AuthenticationMethod, method).Encode());
        await ExpectRefusalAsync(client, 0x8C);
    }

    [Theory]
    [InlineData(AuthenticatingServer.User, AuthenticatingServer.Password)]
    [InlineData(AuthenticatingServer.OtherUser, AuthenticatingServer.OtherPassword)]
    [Statement(V5, "MQTT-4.12.0-2", "MQTT-4.12.0-3", "MQTT-4.12.0-5", "section 3.15.2.1", "section 3.15.2.2", "section 3.2.2.3.17", "section 3.2.2.3.18", "section 3.1.2.11.10")]
    public async Task Client_and_server_prove_that_they_know_the_password(string user, string password)
    {
        ScramClient scram = new(user, password);
        var (client, challenge) = await BeginAsync(NewScramConnect(scram));
        Assert.Equal((Auth.Continue, Method), (challenge.Code, challenge.Method));
        await client.SendAsync(new Auth(Auth.Continue, Method, scram.Finish(challenge.Data)).Encode());
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.Equal((0, Method), (answer.Code, answer.Properties.Text(PropertyId.AuthenticationMethod)));
        Assert.Equal(scram.ServerFinal(), System.Text.Encoding.UTF8.GetString(answer.Properties.Binary(PropertyId.AuthenticationData)!));
        await client.PingAsync();
    }

    [Theory, InlineData(AuthenticatingServer.User), InlineData("nobody")]
    [Statement(V5, "MQTT-4.12.0-4", "MQTT-3.1.4-2", "MQTT-3.2.2-7")]
    public async Task A_wrong_password_is_refused_and_so_is_an_unknown_user_in_the_same_words(string user)
    {
        List<string> salts = [];
        for (var i = 0; i < 2; i++)
        {
            ScramClient scram = new(user, "wrong");
            var (client, challenge) = await BeginAsync(NewScramConnect(scram));
            salts.Add(challenge.Data[challenge.Data.IndexOf(",s=", StringComparison.Ordinal)..]);
            await client.SendAsync(new Auth(Auth.Continue, Method, scram.Finish(challenge.Data)).Encode());
            var refusal = await client.ReceiveAsync<ConnAck>();
            Assert.Equal((0x87, "The authentication failed."), (refusal.Code, refusal.Properties.Text(PropertyId.ReasonString)));
            Assert.Null(await client.ReadAsync());
        }

        Assert.Equal(salts[0], salts[1]);
        Assert.Equal(",s=".Length + 24 + ",i=4096".Length, salts[0].Length);
    }

    [Theory]
    [InlineData(""), InlineData("n,,n=other"), InlineData("n,,n=other,r="), InlineData("n,,n=,r=abc"), InlineData("n,,n=ot=3Xher,r=abc"), InlineData("n,a=other,n=other,r=abc")]
    [InlineData("p=tls-unique,,n=other,r=abc"), InlineData("n,,m=1,n=other,r=abc"), InlineData("x,,n=other,r=abc")]
    [Statement(V5, "MQTT-4.12.0-4")]
    public async Task Data_that_is_no_message_of_the_method_is_refused(string data)
    {
        var client = await OpenAsync(V5);
        await client.SendAsync((new Connect(V5, NewClientId()) { Properties = Auth.PropertiesOf(Method, data) }).Encode());
        await ExpectRefusalAsync(client, 0x87);
    }

    [Theory, InlineData(""), InlineData("c=biws"), InlineData("c=biws,r=abc,p=AAAA"), InlineData("e=other-error"), InlineData("c=eSws,{nonce},p={proof}"), InlineData("c=biws,{nonce}0,p={proof}")]
    [Statement(V5, "MQTT-4.12.0-4")]
    public async Task A_proof_that_is_no_message_of_the_method_is_refused(string data)
    {
        ScramClient scram = new(AuthenticatingServer.User, AuthenticatingServer.Password);
        var (client, challenge) = await BeginAsync(NewScramConnect(scram));
        var right = scram.Finish(challenge.Data);
        data = data.Replace("{nonce}", challenge.Data.Split(',')[0], StringComparison.Ordinal).Replace("{proof}", right[(right.IndexOf("p=", StringComparison.Ordinal) + 2)..], StringComparison.Ordinal);
        await client.SendAsync(new Auth(Auth.Continue, Method, data).Encode());
        await ExpectRefusalAsync(client, 0x87);
    }

    [Fact]
    [Statement(V5, "MQTT-4.12.0-6")]
    public async Task Without_a_method_in_CONNECT_there_is_no_AUTH_nor_a_method_in_CONNACK()
    {
        var client = await ConnectAsync(NewConnect());
        Assert.Null(client.ConnAck.Properties.Text(PropertyId.AuthenticationMethod));
        Assert.Null(client.ConnAck.Properties.Binary(PropertyId.AuthenticationData));
    }

    [Theory, InlineData(Auth.Continue), InlineData(Auth.Again)]
    [Statement(V5, "MQTT-4.12.0-7", "MQTT-4.13.1-1")]
    public async Task AUTH_of_a_client_without_a_method_in_CONNECT_is_a_protocol_error(byte code)
    {
        var client = await ConnectAsync(NewConnect());
        await client.SendAsync(new Auth(code, Method, "n,,n=other,r=abc").Encode());
        await client.ExpectCloseAsync(0x82);
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0 }), InlineData(new byte[] { 0x30, 4, 0, 1, 0x61, 0 }), InlineData(new byte[] { 0x82, 7, 0, 1, 0, 0, 1, 0x61, 0 }), InlineData(new byte[] { 0x40, 2, 0, 1 })]
    [InlineData(new byte[] { 0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 0 })]
    [Statement(V5, "MQTT-3.1.2-30", "section 3.1.2.11.9")]
    public async Task Until_CONNACK_only_AUTH_and_DISCONNECT_are_allowed(byte[] packet)
    {
        var (client, _) = await BeginAsync(NewScramConnect(new(AuthenticatingServer.User, AuthenticatingServer.Password)));
        await client.SendAsync(packet);
        await ExpectRefusalAsync(client, 0x82);
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-30", "section 4.12")]
    public async Task The_client_may_disconnect_before_CONNACK()
    {
        var (client, _) = await BeginAsync(NewScramConnect(new(AuthenticatingServer.User, AuthenticatingServer.Password)));
        await client.SendAsync([0xE0, 0]);
        Assert.Null(await client.ReadAsync());
    }

    public static TheoryData<string, byte[], byte> WrongPackets => new()
    {
        { "no properties and reason code", [0xF0, 0], 0x82 },
        { "no method", [0xF0, 2, 0x18, 0], 0x82 },
        { "no properties", [0xF0, 1, 0x18], 0x82 },
        { "reserved flags", [0xF1, 2, 0x18, 0], 0x81 },
        { "another reason code", new Auth(0x17, Method, "").Encode(), 0x81 },
        { "the server's reason code", new Auth(0, Method, "").Encode(), 0x82 },
        { "re-authentication before CONNACK", new Auth(Auth.Again, Method, "").Encode(), 0x82 },
        { "another method", new Auth(Auth.Continue, "SCRAM-SHA-1", "").Encode(), 0x82 },
        { "two methods", new Auth(Auth.Continue, [.. Auth.PropertiesOf(Method, ""), KeyValuePair.Create<PropertyId, object>(PropertyId.AuthenticationMethod, Method)]).Encode(), 0x82 },
        { "data twice", new Auth(Auth.Continue, [.. Auth.PropertiesOf(Method, ""), KeyValuePair.Create<PropertyId, object>(PropertyId.AuthenticationData, "a"u8.ToArray())]).Encode(), 0x82 },
        { "a property of another packet", new Auth(Auth.Continue, [.. Auth.PropertiesOf(Method, ""), KeyValuePair.Create<PropertyId, object>(PropertyId.ReceiveMaximum, 1)]).Encode(), 0x81 },
        { "bytes behind", [0xF0, 8, 0x18, 4, 0x15, 0, 1, 0x61, 0, 0], 0x81 },
    };

    [Theory, MemberData(nameof(WrongPackets))]
    [Statement(V5, "MQTT-3.15.1-1", "MQTT-3.15.2-1", "MQTT-4.12.0-3", "MQTT-4.12.0-5", "section 3.15.2.2.2", "section 3.15.2.2.3", "MQTT-4.13.1-1")]
    public async Task A_wrong_AUTH_before_CONNACK_ends_the_connection(string what, byte[] packet, byte code)
    {
        Assert.NotEmpty(what);
        var (client, _) = await BeginAsync(NewScramConnect(new(AuthenticatingServer.User, AuthenticatingServer.Password)));
        await client.SendAsync(packet);
        await ExpectRefusalAsync(client, code);
    }

    [Theory, InlineData(false), InlineData(true)]
    [Statement(V5, "section 3.1.2.11.10", "section 3.1.2.11.9")]
    public async Task Authentication_Data_without_a_method_or_twice_is_a_protocol_error(bool twice)
    {
        var client = await OpenAsync(V5);
        var connect = NewConnect().With(PropertyId.AuthenticationData, "a"u8.ToArray());
        await client.SendAsync((twice ? connect.With(PropertyId.AuthenticationMethod, Method).With(PropertyId.AuthenticationData, "a"u8.ToArray()) : connect).Encode());
        await ExpectRefusalAsync(client, 0x82);
    }

    [Fact]
    [Statement(V5, "section 3.1.4", "MQTT-4.12.0-4")]
    public async Task An_exchange_that_stalls_ends_with_the_time_for_CONNECT()
    {
        var watch = Stopwatch.StartNew();
        var (client, _) = await BeginAsync(NewScramConnect(new(AuthenticatingServer.User, AuthenticatingServer.Password)));
        await ExpectRefusalAsync(client, 0x87);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(7));
    }

    [Theory, InlineData(60, false), InlineData(118, true)]
    [Statement(V5, "MQTT-3.1.2-24", "MQTT-3.15.2-2", "MQTT-3.15.2-3")]
    public async Task No_packet_of_the_exchange_is_larger_than_the_client_takes(int size, bool takesChallenge)
    {
        ScramClient scram = new(AuthenticatingServer.User, AuthenticatingServer.Password);
        var client = await OpenAsync(V5);
        await client.SendAsync((NewScramConnect(scram) with { ClientId = "" }).With(PropertyId.MaximumPacketSize, size).Encode());
        if (takesChallenge)
        {
            var challenge = await client.ReceiveAsync<Auth>();
            Assert.InRange(challenge.Size, 2, size);
            await client.SendAsync(new Auth(Auth.Continue, Method, scram.Finish(challenge.Data)).Encode());
        }

        var refusal = await client.ReceiveAsync<ConnAck>();
        Assert.True(refusal.Code >= 0x80 && refusal.Size <= size, $"{refusal} of {refusal.Size} bytes");
        Assert.Null(await client.ReadAsync());
    }
}
