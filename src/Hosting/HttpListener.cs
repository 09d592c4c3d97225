using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Hosting;

/// <summary>Adds the port of health, metrics and dashboard to Kestrel, beside those of MQTT.</summary>
internal sealed class HttpListener(IOptions<HttpOptions> http) : IConfigureOptions<KestrelServerOptions>, IHostedLifecycleService
{
    private ListenOptions? _listening;

    /// <summary>Where it listens; a port that was 0 is the one that was taken.</summary>
    public EndPoint? EndPoint => _listening?.EndPoint;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        ListeningPort.ThrowIfTaken("Http", http.Value.Address, http.Value.Port);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Configure(KestrelServerOptions options) => options.Listen(http.Value.Address, http.Value.Port, listening => _listening = listening);
}
