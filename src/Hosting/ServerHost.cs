using System.Net;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Orleans.Configuration;
using OrleansMqtt.Grains;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>Puts the parts of a process together: the log, a silo in its cluster, health and metrics, and what the program adds; runs it, and tells in one line why it cannot.</summary>
public static partial class ServerHost
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, ServerProgram program)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(program);
        var isSchema = args is [CreateSchemaCommand.Name, ..];
        if (!isSchema && args is [var first, ..] && IsCommand(first))
        {
            await Console.Error.WriteLineAsync(
                $"There is no command '{first}': there are {string.Join(", ", program.Commands.Append(CreateSchemaCommand.Name))}. Without one the server starts, with settings such as --Http:Port=8080: docs/configuration.md lists all.");
            return 1;
        }

        // The settings lie beside the program, wherever it is started from.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = isSchema ? args[1..] : args, ContentRootPath = AppContext.BaseDirectory });
        if (isSchema)
        {
            return await CreateSchemaCommand.RunAsync(builder.Configuration);
        }

        // Kept, because the application is disposed of when its run ends.
        CancellationToken started = default, stopping = default;
        try
        {
            builder.AddServer(program);
            var app = builder.Build();
            SettingNames.Check(args, Environment.GetEnvironmentVariables().Keys.Cast<string>(), app.Logger);
            (started, stopping) = (app.Lifetime.ApplicationStarted, app.Lifetime.ApplicationStopping);
            app.MapServer(program);
            await app.RunAsync();
            return 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            if (started.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync("The end took too long and was cut short; what was acknowledged is on the log.");
                return 1;
            }

            // Stopped while it waited for the database or the log.
            return 0;
        }
        catch (Exception exception) when (StartupFailure.Describe(exception) is { } description)
        {
            // A wrong setting is told in one line, not with a stack trace; the host's own word of it is turned off in appsettings.json. All else leaves here unhandled, with its trace.
            await Console.Error.WriteLineAsync(description);
            return 1;
        }
    }

    /// <summary>Whether an argument is no setting.</summary>
    private static bool IsCommand(string argument) => !argument.Contains('=', StringComparison.Ordinal) && (argument is "-h" or "-?" or "--help" || !(argument.StartsWith('-') || argument.StartsWith('/')));

    private static void AddServer(this WebApplicationBuilder builder, ServerProgram program)
    {
        var configuration = builder.Configuration;
        var cluster = ClusterOptions.From(configuration, program);
        builder.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fff ";
        });
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddOptions<HttpOptions>().Bind(configuration.GetSection("Http"), static binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<HttpOptions>, HttpOptionsValidation>();
        builder.Services.AddSingleton<HttpListener>();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(provider => provider.GetRequiredService<HttpListener>());
        builder.Services.AddHostedService(static provider => provider.GetRequiredService<HttpListener>());
        builder.Services.AddSingleton<StartupHealth>();
        builder.Services.AddMessageLog(configuration.GetSection("Log"));
        var health = builder.Services.AddHealthChecks()
            .AddCheck<StoppingHealthCheck>("process", tags: ["ready"])
            .AddCheck<LogHealthCheck>("log", tags: ["ready"])
            .AddCheck<SiloHealthCheck>("silo", tags: ["ready"])
            .AddCheck<PartitionsHealthCheck>("partitions", tags: ["ready"]);
        if (cluster.Database is not null)
        {
            builder.Services.AddSingleton(cluster.Database);
            builder.Services.AddHostedService<DatabaseStartup>();
            health.AddCheck<DatabaseHealthCheck>("database", tags: ["ready"]);
        }

        // Beside the time that the host gives its services: the edge adds its own.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout += cluster.HandOverTimeout);

        // Hosted services start in this order: the silo last.
        builder.Services.AddHostedService<LogStartup>();
        builder.UseOrleans(silo =>
        {
            silo.AddMembership(cluster);
            silo.Configure<GrainCollectionOptions>(options => options.CollectionQuantum = TimeSpan.FromSeconds(30));
            silo.AddMqttGrains(configuration, ownsPartitions: cluster.Roles.HasFlag(ClusterRoles.Silo));
            program.Configure(silo, cluster.Roles);
        });
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter("OrleansMqtt.*", "Microsoft.Orleans").AddRuntimeInstrumentation().AddPrometheusExporter());
        if (!string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            // An activity costs each publish time: only where they go somewhere.
            telemetry.WithTracing(tracing => tracing.AddSource("OrleansMqtt.*")).UseOtlpExporter();
        }
    }

    private static void MapServer(this WebApplication app, ServerProgram program)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = WriteReasons });
        app.MapPrometheusScrapingEndpoint();
        app.MapCluster();
        var pages = program.Map(app);
        var http = app.Services.GetRequiredService<HttpListener>();
        app.Lifetime.ApplicationStarted.Register(() => LogListening(app.Logger, http.EndPoint, pages));
    }

    /// <summary>The status, and a line for each check that has something to say against it.</summary>
    private static Task WriteReasons(HttpContext context, HealthReport report)
    {
        var reasons = report.Entries.Where(entry => entry.Value.Status != HealthStatus.Healthy).Select(entry => $"\n{entry.Key}: {entry.Value.Description}");
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync($"{report.Status}{string.Concat(reasons)}");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Health and metrics on http://{EndPoint}: /health/live, /health/ready, /metrics, /cluster{Pages}")]
    private static partial void LogListening(ILogger logger, EndPoint? endPoint, string pages);
}
