using Microsoft.Extensions.Hosting;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Listeners;

namespace OrleansMqtt.Edge;

/// <summary>
/// Says at the start where clients connect, and ends the connections before anything else stops: MQTT 5 clients are told (DISCONNECT 0x8B), sessions hear of it, and
/// publishes that are on their way to the log settle.
/// </summary>
internal sealed class EdgeLifetime(EdgeContext context, EdgeListeners listeners) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        listeners.LogListening();
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        context.Connections.Close();
        var connections = context.Connections.All.ToArray();
        foreach (var connection in connections)
        {
            connection.Close(CloseReason.Stopping);
        }

        try
        {
            await Task.WhenAll(connections.Select(static connection => connection.Ended)).WaitAsync(context.Options.ShutdownTimeout, context.Time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            context.Logger.StoppedUnsettled(context.Options.ShutdownTimeout);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        context.Deadlines.Dispose();
        return Task.CompletedTask;
    }
}
