using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Hosting;

/// <summary>Answers for health while the start waits for what the server cannot be without: the real ports open only after that.</summary>
internal sealed partial class StartupHealth(IOptions<HttpOptions> http, TimeProvider time, ILogger<StartupHealth> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Runs a step of the start; when it takes long, <c>/health/live</c> is 200 and everything else 503 with what is waited for.</summary>
    public async Task WhileAsync(Func<string> waitingFor, Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        var running = step(cancellationToken);
        try
        {
            await running.WaitAsync(Patience, time, cancellationToken);
            return;
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            LogWaiting(waitingFor());
        }

        if (http.Value.Port == 0)
        {
            // Nobody knows the port before the line that tells it.
            await running;
            return;
        }

        await using var server = CreateServer(waitingFor);
        await server.StartAsync(cancellationToken);
        try
        {
            await running;
        }
        finally
        {
            await server.StopAsync(CancellationToken.None);
        }
    }

    private WebApplication CreateServer(Func<string> waitingFor)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            if (http.Value.Address == "*")
            {
                kestrel.ListenAnyIP(http.Value.Port);
            }
            else
            {
                kestrel.Listen(IPAddress.Parse(http.Value.Address), http.Value.Port);
            }
        });
        var server = builder.Build();
        server.Run(context =>
        {
            var isLive = context.Request.Path == "/health/live";
            context.Response.StatusCode = isLive ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsync(isLive ? "Healthy" : $"Unhealthy\nThe start waits for {waitingFor()}");
        });
        return server;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The start waits for {What}")]
    private partial void LogWaiting(string what);
}
