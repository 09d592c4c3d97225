using System.Diagnostics;
using System.Net;
using System.Text.Json;

[assembly: AssemblyFixture(typeof(OrleansMqtt.Conformance.Tests.Authentication.AuthenticatingServer))]

namespace OrleansMqtt.Conformance.Tests.Authentication;

/// <summary>A server that only its two users may connect to.</summary>
public sealed class AuthenticatingServer : IAsyncLifetime
{
    public const string User = "a=user, of two";
    public const string Password = "pencil";
    public const string OtherUser = "other";
    public const string OtherPassword = "päßword";
    private RestartableServer? _own;

    public EndPoint EndPoint => _own?.EndPoint ?? new IPEndPoint(IPAddress.Loopback, 0);

    public async ValueTask InitializeAsync()
    {
        if (ConformanceServer.IsOwn)
        {
            _own = await RestartableServer.StartAsync(
                ("Mqtt__Authentication__AllowAnonymous", "false"),
                ("Mqtt__Authentication__Users__0__Name", User),
                ("Mqtt__Authentication__Users__0__Password", await HashAsync(User, Password)),
                ("Mqtt__Authentication__Users__1__Name", OtherUser),
                ("Mqtt__Authentication__Users__1__Password", await HashAsync(OtherUser, OtherPassword)),
                ("Mqtt__ConnectTimeout", "00:00:03"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }

    /// <summary>What the server's own command prints for the settings.</summary>
    private static async Task<string> HashAsync(string user, string password)
    {
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), "hash-password", user]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(password);
        process.StandardInput.Close();
        using var entry = JsonDocument.Parse(await process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.Equal(user, entry.RootElement.GetProperty("Name").GetString());
        return entry.RootElement.GetProperty("Password").GetString()!;
    }
}
