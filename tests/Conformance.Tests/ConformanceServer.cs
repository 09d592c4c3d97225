using System.Net;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(OrleansMqtt.Conformance.Tests.ConformanceServer))]
[assembly: Parallelization(Mode = ParallelMode.All, MaxThreads = 24)]

namespace OrleansMqtt.Conformance.Tests;

/// <summary>The server that all tests share: our own as a process, or the one that <c>ORLEANSMQTT_CONFORMANCE_SERVER</c> (host:port) names.</summary>
public sealed class ConformanceServer : IAsyncLifetime
{
    private static readonly string? Other = Environment.GetEnvironmentVariable("ORLEANSMQTT_CONFORMANCE_SERVER");
    private RestartableServer? _own;

    /// <summary>Whether the tests start the server themselves.</summary>
    public static bool IsOwn => Other is not { Length: > 0 };

    public EndPoint EndPoint { get; private set; } = null!;

    /// <summary>Leaves a test out that needs more than a port of the server.</summary>
    public static void RequireOwn() => Assert.SkipUnless(IsOwn, "Needs a server of its own, which it can kill and start again.");

    public async ValueTask InitializeAsync()
    {
        if (Other is { Length: > 0 })
        {
            var uri = new Uri($"mqtt://{Other}");
            EndPoint = IPAddress.TryParse(uri.Host, out var address) ? new IPEndPoint(address, uri.Port) : new DnsEndPoint(uri.Host, uri.Port);
            return;
        }

        _own = await RestartableServer.StartAsync(("Mqtt__SysInterval", "1"));
        EndPoint = _own.EndPoint;
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }
}
