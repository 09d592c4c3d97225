using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Orleans.Configuration;
using Orleans.Dashboard;
using OrleansMqtt.Edge;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Grains;
using OrleansMqtt.Log;

namespace OrleansMqtt.Silo;

/// <summary>Puts the parts of the server together: the log, a silo with the grains and an edge, health, metrics and the dashboard.</summary>
internal static partial class OrleansMqttHost
{
    public static void AddOrleansMqtt(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        builder.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fff ";
        });
        builder.Services.AddMessageLog(configuration.GetSection("Log"));
        builder.Services.AddHostedService<LogStartup>();
        builder.Services.AddOptions<HttpOptions>().Bind(configuration.GetSection("Http")).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<HttpOptions>, HttpOptionsValidation>();
        builder.Services.AddSingleton<HttpListener>();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(provider => provider.GetRequiredService<HttpListener>());
        builder.UseOrleans(silo =>
        {
            var cluster = ClusterOptions.From(configuration);
            var port = cluster.SiloPort == 0 ? FreePort() : cluster.SiloPort;
            silo.UseLocalhostClustering(port, gatewayPort: 0, serviceId: "orleansmqtt", clusterId: "orleansmqtt");
            silo.Configure<GrainCollectionOptions>(options => options.CollectionQuantum = TimeSpan.FromSeconds(30));
            silo.AddMqttGrains(configuration);
            silo.AddMqttEdge(configuration.GetSection(EdgeOptions.SectionName));
            if (configuration.GetSection("Http").Get<HttpOptions>() is not { Dashboard: false })
            {
                // Its samples go through all grains that there are, and its profiler times every call for as long after somebody looked.
                silo.AddDashboard(dashboard => dashboard.CounterUpdateIntervalMs = 5000);
                silo.Configure<GrainProfilerOptions>(profiler => profiler.DeactivationTime = TimeSpan.FromSeconds(15));
            }
        });
        builder.Services.AddHealthChecks()
            .AddCheck<LogHealthCheck>("log", tags: ["ready"])
            .AddCheck<SiloHealthCheck>("silo", tags: ["ready"]);
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter("OrleansMqtt.*", "Microsoft.Orleans").AddRuntimeInstrumentation().AddPrometheusExporter());
        if (!string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            // An activity costs each publish time: only where they go somewhere.
            telemetry.WithTracing(tracing => tracing.AddSource("OrleansMqtt.*")).UseOtlpExporter();
        }
    }

    public static void MapOrleansMqtt(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        app.MapPrometheusScrapingEndpoint();
        var hasDashboard = app.Services.GetRequiredService<IOptions<HttpOptions>>().Value.Dashboard;
        if (hasDashboard)
        {
            app.MapOrleansDashboard("/dashboard");
        }

        var http = app.Services.GetRequiredService<HttpListener>();
        app.Lifetime.ApplicationStarted.Register(() => LogListening(app.Logger, http.EndPoint, hasDashboard ? ", /dashboard" : ""));
    }

    /// <summary>
    /// A free port below those that systems hand out by themselves: none of this machine's outgoing connections, nor a listener on port 0, takes it before the silo does.
    /// </summary>
    private static int FreePort()
    {
        while (true)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            IPEndPoint endPoint = new(IPAddress.Loopback, Random.Shared.Next(12_000, 20_000));
            try
            {
                socket.Bind(endPoint);
                return endPoint.Port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one then.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Health and metrics on http://{EndPoint}: /health/live, /health/ready, /metrics{Dashboard}")]
    private static partial void LogListening(ILogger logger, EndPoint? endPoint, string dashboard);
}
