namespace OrleansMqtt.Conformance.Tests.Authentication;

/// <summary>Tests on the server that only its users may connect to.</summary>
public abstract class AuthenticationConformanceTests : ConformanceTests
{
    protected const string Method = "SCRAM-SHA-256";

    protected AuthenticationConformanceTests(AuthenticatingServer server)
        : base(server.EndPoint) => ConformanceServer.RequireOwn();

    private protected static Connect NewConnect(MqttVersion version = V5) =>
        new(version, NewClientId()) { UserName = AuthenticatingServer.User, Password = AuthenticatingServer.Password };

    private protected static Connect NewScramConnect(ScramClient scram) => new(V5, NewClientId()) { Properties = Auth.PropertiesOf(Method, scram.First) };

    /// <summary>A connection that the server has sent its challenge to.</summary>
    private protected async Task<(Client Client, Auth Challenge)> BeginAsync(Connect connect)
    {
        var client = await OpenAsync(V5);
        await client.SendAsync(connect.Encode());
        return (client, await client.ReceiveAsync<Auth>());
    }

    /// <summary>Connects by SCRAM.</summary>
    private protected async Task<Client> ConnectByScramAsync(Connect? connect = null)
    {
        ScramClient scram = new(AuthenticatingServer.User, AuthenticatingServer.Password);
        var properties = NewScramConnect(scram).Properties;
        connect ??= new Connect(V5, NewClientId());
        var (client, challenge) = await BeginAsync(connect with { Properties = [.. connect.Properties, .. properties] });
        await client.SendAsync(new Auth(Auth.Continue, Method, scram.Finish(challenge.Data)).Encode());
        Assert.Equal(0, (await client.ReceiveAsync<ConnAck>()).Code);
        return client;
    }

    private protected static async Task ExpectRefusalAsync(Client client, byte code)
    {
        var refusal = await client.ReceiveAsync<ConnAck>();
        Assert.Equal($"{code:X2}", $"{refusal.Code:X2}");
        Assert.Null(await client.ReadAsync());
    }
}
