using System.Diagnostics;
using System.Globalization;

namespace OrleansMqtt.Compare;

/// <summary>
/// A Kafka broker: the one that ORLEANSMQTT_KAFKA names (its process is found when it listens on this machine), one started from the distribution in
/// KAFKA_HOME, or one started with ../shared/kafka/kafka. A started one is stopped at the end.
/// </summary>
internal sealed class KafkaBroker : IAsyncDisposable
{
    private readonly ChildProcess? _child;
    private readonly string? _script;
    private readonly string? _directory;

    private KafkaBroker(string bootstrapServers, int? processId, ChildProcess? child = null, string? script = null, string? directory = null)
    {
        BootstrapServers = bootstrapServers;
        ProcessId = processId;
        _child = child;
        _script = script;
        _directory = directory;
    }

    public string BootstrapServers { get; }

    public int? ProcessId { get; }

    /// <summary>Null when there is no Kafka to be had.</summary>
    public static async Task<KafkaBroker?> StartAsync(string repository, string output, CancellationToken cancellation)
    {
        if (Environment.GetEnvironmentVariable("ORLEANSMQTT_KAFKA") is { Length: > 0 } servers)
        {
            return new KafkaBroker(servers, await FindListenerAsync(servers, cancellation));
        }

        string directory = Path.Combine(output, "kafka");
        if (Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home)
        {
            return await StartDistributionAsync(home, directory, output, cancellation);
        }

        string script = Path.GetFullPath(Path.Combine(repository, "../shared/kafka/kafka"));
        if (!File.Exists(script))
        {
            return null;
        }

        int port = ChildProcess.FreePort();

        // The script leaves the broker running in a session of its own: the pid file says which process that is.
        using var start = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >/dev/null 2>\"$LOG\"", "sh", script, "start", directory, $"{port}"])
        {
            Environment = { ["LOG"] = Path.Combine(output, "kafka.log") },
        })!;
        await start.WaitForExitAsync(cancellation);
        if (start.ExitCode != 0)
        {
            throw new CompareException($"Kafka did not start; see {Path.Combine(output, "kafka.log")}");
        }

        int id = int.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "pid"), cancellation), CultureInfo.InvariantCulture);
        return new KafkaBroker($"127.0.0.1:{port}", id, script: script, directory: directory);
    }

    public async ValueTask DisposeAsync()
    {
        if (_child is not null)
        {
            await _child.DisposeAsync();
        }

        if (_script is not null)
        {
            using var stop = Process.Start(_script, ["stop", _directory!]);
            await stop.WaitForExitAsync();
        }
    }

    private static async Task<KafkaBroker> StartDistributionAsync(string home, string directory, string output, CancellationToken cancellation)
    {
        int port = ChildProcess.FreePort();
        int controller = ChildProcess.FreePort();
        Directory.CreateDirectory(directory);
        string properties = Path.Combine(directory, "server.properties");
        await File.WriteAllTextAsync(properties, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{controller}
            listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
            advertised.listeners=PLAINTEXT://127.0.0.1:{port}
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
            controller.listener.names=CONTROLLER
            log.dirs={directory}/data
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            auto.create.topics.enable=false

            """, cancellation);
        string storage = Path.Combine(home, "bin/kafka-storage.sh");
        string[] format = ["format", "--cluster-id", "AAAAAAAAQACAAAAAAAAAAQ", "--config", properties];
        if (await ChildProcess.RunAsync(storage, format, Path.Combine(output, "kafka-format.log"), cancellation) != 0)
        {
            throw new CompareException($"Kafka's storage could not be formatted; see {Path.Combine(output, "kafka-format.log")}");
        }

        // kafka-server-start.sh replaces itself by Java: its process id is the broker's.
        var child = ChildProcess.Start(Path.Combine(home, "bin/kafka-server-start.sh"), [properties], Path.Combine(output, "kafka.log"));
        try
        {
            await child.WaitForPortAsync(port, TimeSpan.FromSeconds(60), cancellation);
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }

        return new KafkaBroker($"127.0.0.1:{port}", child.Id, child);
    }

    private static async Task<int?> FindListenerAsync(string servers, CancellationToken cancellation)
    {
        string port = servers.Split(',')[0].Split(':')[^1];
        using var list = Process.Start(new ProcessStartInfo("ss", ["-Hltnp", $"sport = :{port}"]) { RedirectStandardOutput = true })!;
        string text = await list.StandardOutput.ReadToEndAsync(cancellation);
        await list.WaitForExitAsync(cancellation);
        int at = text.IndexOf("pid=", StringComparison.Ordinal);
        return at < 0 ? null : int.Parse(text[(at + 4)..].Split(',', ')')[0], CultureInfo.InvariantCulture);
    }
}
