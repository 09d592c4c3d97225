namespace OrleansMqtt.Conformance.Tests.Authentication;

/// <summary>User name and password in CONNECT.</summary>
public sealed class PasswordTests(AuthenticatingServer server) : AuthenticationConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-19", "MQTT-3.1.2-21", "section 3.1.3.4", "section 3.1.3.5")]
    [Statement(V5, "MQTT-3.1.2-17", "MQTT-3.1.2-19", "section 3.1.3.5", "section 3.1.3.6")]
    public async Task A_user_with_the_right_password_is_accepted_each_time(MqttVersion version)
    {
        await (await ConnectAsync(NewConnect(version))).PingAsync();
        await (await ConnectAsync(NewConnect(version))).PingAsync();
        var other = await ConnectAsync(NewConnect(version) with { UserName = AuthenticatingServer.OtherUser, Password = AuthenticatingServer.OtherPassword });
        await other.PingAsync();
    }

    [Theory]
    [InlineData(V311, AuthenticatingServer.User, "wrong"), InlineData(V5, AuthenticatingServer.User, "wrong")]
    [InlineData(V311, AuthenticatingServer.User, AuthenticatingServer.OtherPassword), InlineData(V5, AuthenticatingServer.User, AuthenticatingServer.OtherPassword)]
    [InlineData(V311, AuthenticatingServer.User, ""), InlineData(V5, AuthenticatingServer.User, "")]
    [InlineData(V311, AuthenticatingServer.User, null), InlineData(V5, AuthenticatingServer.User, null)]
    [InlineData(V311, "nobody", AuthenticatingServer.Password), InlineData(V5, "nobody", AuthenticatingServer.Password)]
    [InlineData(V311, "OTHER", AuthenticatingServer.OtherPassword), InlineData(V5, "OTHER", AuthenticatingServer.OtherPassword)]
    [InlineData(V311, "", ""), InlineData(V5, "", "")]
    [InlineData(V5, null, AuthenticatingServer.Password)]
    [Statement(V311, "section 3.1.4", "section 3.2.2.3", "MQTT-3.2.2-5")]
    [Statement(V5, "MQTT-3.1.4-2", "section 3.2.2.2", "MQTT-3.2.2-7")]
    public async Task A_wrong_user_name_or_password_is_refused_and_the_connection_closed(MqttVersion version, string? user, string? password)
    {
        // Once the right one is known too.
        await ConnectAsync(NewConnect(version));
        var client = await OpenAsync(version);
        var connect = NewConnect(version) with { UserName = user, Password = password };
        await client.SendAsync(connect.Encode());
        await ExpectRefusalAsync(client, version is V5 ? (byte)0x86 : (byte)4);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 3.1.4", "section 3.2.2.3", "MQTT-3.2.2-5")]
    [Statement(V5, "MQTT-3.1.4-2", "section 3.2.2.2", "MQTT-3.2.2-7")]
    public async Task A_client_without_a_user_name_is_not_authorized(MqttVersion version)
    {
        var client = await OpenAsync(version);
        await client.SendAsync(new Connect(version, NewClientId()).Encode());
        await ExpectRefusalAsync(client, version is V5 ? (byte)0x87 : (byte)5);
    }
}
