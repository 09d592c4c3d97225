using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Listeners;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>An edge that takes connections in this process, and by its port.</summary>
internal sealed class FuzzHost : IAsyncDisposable
{
    public const int MaximumPacketSize = 64 * 1024;

    private readonly WebApplication _app;

    private FuzzHost(WebApplication app, FuzzGrains grains, FuzzLog log)
    {
        (_app, Grains, Log) = (app, grains, log);
        Context = app.Services.GetRequiredService<EdgeContext>();
        Handler = app.Services.GetRequiredService<MqttConnectionHandler>();
        grains.Context = Context;
    }

    public FuzzGrains Grains { get; }

    public FuzzLog Log { get; }

    public EdgeContext Context { get; }

    public MqttConnectionHandler Handler { get; }

    public IPEndPoint EndPoint => (IPEndPoint)_app.Services.GetRequiredService<EdgeListeners>().EndPoints.First();

    public static async Task<FuzzHost> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mqtt:Listeners:0:Address"] = "127.0.0.1",
            ["Mqtt:Listeners:0:Port"] = "0",
            ["Mqtt:MaximumPacketSize"] = $"{MaximumPacketSize}",
            ["Mqtt:SysInterval"] = "0",
        });
        FuzzLog log = new();
        builder.Logging.ClearProviders().AddProvider(log);
        FuzzGrains grains = new();
        builder.Services.AddSingleton<IEdgeGrains>(grains);
        builder.Services.AddSingleton<IEnhancedAuthenticator, FuzzAuthenticator>();
        builder.Services.AddEdge(builder.Configuration.GetSection("Mqtt"));
        var app = builder.Build();
        FuzzHost host = new(app, grains, log);
        await app.StartAsync();
        return host;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
