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
    private static readonly TimeSpan ShortestDrainPeriod = TimeSpan.FromMilliseconds(50);

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        listeners.ThrowIfTaken();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        listeners.LogListening();
        return context.Directory?.OpenAsync() ?? Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var start = context.Time.GetTimestamp();
        context.Connections.Close();
        if (context.Directory is { } directory)
        {
            // Before clients are sent away: nobody must send them back.
            await directory.LeaveAsync();
        }

        var connections = context.Connections.All.ToArray();
        await CloseAsync(connections);
        var rest = context.Options.ShutdownTimeout - context.Time.GetElapsedTime(start);
        try
        {
            await Task.WhenAll(connections.Select(static connection => connection.Ended)).WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, context.Time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            context.Logger.StoppedUnsettled(context.Options.ShutdownTimeout);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Where there are other edges clients are sent to them, not faster than they can take them.</summary>
    private async Task CloseAsync(MqttConnection[] connections)
    {
        if (context.Directory?.FindOther() is null)
        {
            Close(connections);
            return;
        }

        if (connections.Length > 0)
        {
            context.Logger.Draining(connections.Length);
        }

        // Half of the time is for what follows.
        var rate = Math.Max(context.Options.DrainRate, connections.Length / Math.Max(0.1, context.Options.ShutdownTimeout.TotalSeconds / 2));
        var batch = (int)Math.Ceiling(rate * ShortestDrainPeriod.TotalSeconds);
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(batch / rate), context.Time);
        foreach (var some in connections.Chunk(batch))
        {
            Close(some);
            if (some.Length == batch)
            {
                await timer.WaitForNextTickAsync();
            }
        }
    }

    private void Close(MqttConnection[] connections)
    {
        foreach (var connection in connections)
        {
            connection.Close(ReasonOf(connection));
        }
    }

    private CloseReason ReasonOf(MqttConnection connection) =>
        (context.Directory?.FindOwner(connection.ClientId) ?? context.Directory?.FindOther()) is { } address
            ? CloseReason.Redirected(DisconnectCause.ServerStopping, address)
            : CloseReason.Stopping;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        context.Deadlines.Dispose();
        context.Pace.Dispose();
        context.Connections.Dispose();
        return Task.CompletedTask;
    }
}
