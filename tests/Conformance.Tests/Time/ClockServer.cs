using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using OrleansMqtt.Edge;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Hosting;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>Our server in the process of the tests, with a clock that they set, on an embedded log in a directory of its own. Can be stopped and started again.</summary>
internal sealed class ClockServer(params string[] ownSettings) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private string? _directory;
    private WebApplication? _app;
    private Task<int> _running = Task.FromResult(0);

    public IPEndPoint EndPoint { get; } = new(IPAddress.Loopback, TestPorts.Free());

    public SetClock Clock { get; } = new();

    public async Task StartAsync()
    {
        _directory ??= Directory.CreateTempSubdirectory("orleansmqtt-clock-").FullName;
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        string[] settings =
        [
            "Log:Kind=Embedded",
            $"Log:Embedded:Directory={_directory}",
            $"Mqtt:Listeners:0:Address={EndPoint.Address}",
            $"Mqtt:Listeners:0:Port={EndPoint.Port}",
            "Http:Port=0",

            // Whatever is due at one moment is found due by one look at the clock.
            "Topics:Sessions:Partitions=1",
            "Logging:Console:LogLevel:Default=None",
            .. ownSettings,
        ];
        _running = ServerHost.RunAsync([.. settings.Select(setting => $"--{setting}")], new(ClusterRoles.Silo | ClusterRoles.Edge, Configure, Map));
        if (await Task.WhenAny(started.Task, _running).WaitAsync(Limit) == _running)
        {
            Assert.Fail($"The server ends with {await _running}.");
        }

        void Configure(ISiloBuilder silo, ClusterRoles roles)
        {
            silo.Services.AddKeyedSingleton<TimeProvider>(ClientTime.Key, Clock);
            silo.AddMqttEdge(silo.Configuration.GetSection(EdgeOptions.SectionName));
        }

        string Map(WebApplication app)
        {
            _app = app;
            app.Lifetime.ApplicationStarted.Register(started.SetResult);
            return "";
        }
    }

    public async Task StopAsync()
    {
        _app?.Lifetime.StopApplication();
        Assert.Equal(0, await _running.WaitAsync(Limit));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_directory!, recursive: true);
    }
}
