using System.Diagnostics;
using Testcontainers.Kafka;
using Xunit;

namespace OrleansMqtt.TestKit;

/// <summary>
/// A real Kafka broker: the one at <c>ORLEANSMQTT_KAFKA</c>, or one started from <c>KAFKA_HOME</c>, from <c>../shared/kafka</c>, or in Docker. With none, a test is skipped; in CI it
/// fails.
/// </summary>
public sealed class KafkaBroker : IAsyncDisposable
{
    private static readonly Lazy<Task<KafkaBroker>> Shared = new(() => StartAsync(isOwn: false));
    private readonly string? _script;
    private readonly string? _directory;
    private readonly KafkaContainer? _container;

    private KafkaBroker(string bootstrapServers, string? script = null, string? directory = null, KafkaContainer? container = null) =>
        (BootstrapServers, _script, _directory, _container) = (bootstrapServers, script, directory, container);

    public string BootstrapServers { get; }

    /// <summary>The broker that all tests of an assembly share: use topic names of your own.</summary>
    public static async Task<KafkaBroker> SharedAsync()
    {
        try
        {
            return await Shared.Value;
        }
        catch (NoKafkaException exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip(exception.Message);
            throw;
        }
    }

    /// <summary>A broker for one test alone, which may stop it. Needs a Kafka on this machine.</summary>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <param name="properties">More lines for <c>server.properties</c>; they count more than those above.</param>
    public static async Task<KafkaBroker> StartOwnAsync(int port = 0, string properties = "")
    {
        try
        {
            return await StartAsync(isOwn: true, port, properties);
        }
        catch (NoKafkaException exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip(exception.Message);
            throw;
        }
    }

    public Task StopAsync() => RunAsync("stop");

    public Task KillAsync() => RunAsync("kill");

    public Task PauseAsync() => RunAsync("pause");

    public Task ResumeAsync() => RunAsync("resume");

    public Task StartAgainAsync() => RunAsync("start");

    public async ValueTask DisposeAsync()
    {
        if (_directory is not null)
        {
            await RunAsync("kill");
            Directory.Delete(_directory, recursive: true);
        }

        if (_container is not null)
        {
            await _container.DisposeAsync();
        }
    }

    private static async Task<KafkaBroker> StartAsync(bool isOwn, int port = 0, string properties = "")
    {
        if (!isOwn && Environment.GetEnvironmentVariable("ORLEANSMQTT_KAFKA") is { Length: > 0 } servers)
        {
            return new(servers);
        }

        if (FindScript() is { } script)
        {
            var directory = Directory.CreateTempSubdirectory("orleansmqtt-kafka-").FullName;
            var broker = new KafkaBroker((await RunAsync(script, "start", directory, port, properties)).Trim(), script, directory);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Process.Start(new ProcessStartInfo(script, ["kill", directory]) { RedirectStandardError = true })?.WaitForExit();
            return broker;
        }

        if (isOwn || !File.Exists("/var/run/docker.sock"))
        {
            throw new NoKafkaException();
        }

        var container = new KafkaBuilder("confluentinc/cp-kafka:8.0.0").Build();
        await container.StartAsync();
        return new(container.GetBootstrapAddress(), container: container);
    }

    private static string? FindScript()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home && File.Exists(Path.Combine(home, "kafka")))
        {
            return Path.Combine(home, "kafka");
        }

        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "OrleansMqtt.sln")))
            {
                var script = Path.Combine(directory.FullName, "..", "shared", "kafka", "kafka");
                return File.Exists(script) ? Path.GetFullPath(script) : null;
            }
        }

        return null;
    }

    private static async Task<string> RunAsync(string script, string command, string directory, int port = 0, string properties = "")
    {
        ProcessStartInfo start = new(script, port == 0 ? [command, directory] : [command, directory, $"{port}"]) { RedirectStandardOutput = true };
        if (properties.Length > 0)
        {
            start.Environment["KAFKA_PROPERTIES"] = properties;
        }

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output ?? "" : throw new InvalidOperationException($"{script} {command} ended with {process.ExitCode}.");
    }

    private Task<string> RunAsync(string command) =>
        _script is null ? throw new InvalidOperationException("This broker is not ours to stop.") : RunAsync(_script, command, _directory!);

    private sealed class NoKafkaException() : Exception(
        "No Kafka: set ORLEANSMQTT_KAFKA (bootstrap servers) or KAFKA_HOME, put one into ../shared/kafka, or start Docker.");
}
