using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Listeners;
using OrleansMqtt.Edge.Redirecting;

namespace OrleansMqtt.Edge.Tests;

/// <summary>An edge on a free port, with grains that the test controls.</summary>
internal sealed class EdgeHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EdgeHost(WebApplication app, FakeGrains grains, LogLines log)
    {
        _app = app;
        Grains = grains;
        Log = log;
        Context = app.Services.GetRequiredService<EdgeContext>();
        grains.Context = Context;
    }

    public FakeGrains Grains { get; }

    public EdgeContext Context { get; }

    public LogLines Log { get; }

    public IPEndPoint[] EndPoints => [.. _app.Services.GetRequiredService<EdgeListeners>().EndPoints.Cast<IPEndPoint>()];

    /// <summary>The scope of the host's meters.</summary>
    public object Meters => _app.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();

    public int Port => EndPoints[0].Port;

    /// <summary>Whether the connections are carried by the server's own transport.</summary>
    public bool UsesEpoll => _app.Services.GetRequiredService<EdgeContext>().Connections.All.All(static connection => connection.Inline is not null);

    public static Task<EdgeHost> StartAsync(FakeTimeProvider? time = null, params (string Name, string Value)[] settings) => StartAsync(null, time, settings);

    /// <summary>With one more method of enhanced authentication.</summary>
    public static async Task<EdgeHost> StartAsync(IEnhancedAuthenticator? authenticator, FakeTimeProvider? time = null, params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mqtt:Listeners:0:Address"] = "127.0.0.1",
            ["Mqtt:Listeners:0:Port"] = "0",
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Mqtt:{setting.Name}", (string?)setting.Value)));
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        var grains = new FakeGrains();
        builder.Services.AddSingleton<IEdgeGrains>(grains);
        builder.Services.AddSingleton<IEdgeDirectory>(grains.Directory);
        if (authenticator is not null)
        {
            builder.Services.AddSingleton(authenticator);
        }

        if (time is not null)
        {
            builder.Services.AddSingleton<TimeProvider>(time);
        }

        builder.Services.AddEdge(builder.Configuration.GetSection("Mqtt"));
        var app = builder.Build();
        var host = new EdgeHost(app, grains, log);
        await app.StartAsync();
        return host;
    }

    public Task<RawClient> OpenAsync() => RawClient.OpenAsync(Port);

    public Task<RawClient> ConnectAsync(string clientId = "c", int version = 5, int keepAlive = 0, string properties = "")
        => RawClient.ConnectAsync(Port, clientId, version, keepAlive, properties);

    /// <summary>Connects a client whose session outlives the connection.</summary>
    public Task<RawClient> ConnectStoredAsync(int version = 5, string clientId = "c")
        => RawClient.ConnectAsync(Port, clientId, version, properties: version == 5 ? "1100000E10" : "", flags: version == 5 ? 2 : 0);

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        // What a test holds would make the stop wait for it.
        Grains.HoldsAppends = false;
        Grains.Failure = null;
        Grains.SubscribeGate?.TrySetResult();
        Grains.QoS2Gate?.TrySetResult();
        Grains.RetainedGate?.TrySetResult();
        for (var i = 0; i < Grains.Held.Count; i++)
        {
            Grains.Settle(i);
        }

        await _app.DisposeAsync();
    }
}
