using Testcontainers.Kafka;
using Xunit;

namespace OrleansMqtt.TestKit;

/// <summary>
/// A real Kafka broker: the one at <c>ORLEANSMQTT_KAFKA</c>, or one started from the distribution at <c>KAFKA_HOME</c>, from <c>../shared/kafka</c>, or in Docker. With none, a test
/// is skipped; in CI it fails.
/// </summary>
public sealed class KafkaBroker : IAsyncDisposable
{
    private static readonly Lazy<Task<KafkaBroker>> Shared = new(() => StartAsync(isOwn: false));
    private readonly KafkaProcess? _process;
    private readonly KafkaContainer? _container;

    private KafkaBroker(string bootstrapServers, KafkaProcess? process = null, KafkaContainer? container = null) =>
        (BootstrapServers, _process, _container) = (bootstrapServers, process, container);

    public string BootstrapServers { get; }

    private KafkaProcess Process => _process ?? throw new InvalidOperationException("This broker is not ours to stop.");

    /// <summary>The broker that all tests of an assembly share, which has a fixture <see cref="SharedKafka"/>: use topic names of your own.</summary>
    public static Task<KafkaBroker> SharedAsync() => OrSkipAsync(() => Shared.Value);

    /// <summary>A broker for one test alone, which may stop it. Needs a Kafka on this machine.</summary>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <param name="properties">More lines for <c>server.properties</c>; they count more than the usual ones.</param>
    /// <param name="address">Where it listens.</param>
    public static Task<KafkaBroker> StartOwnAsync(int port = 0, string properties = "", string address = "127.0.0.1") =>
        OrSkipAsync(() => StartAsync(isOwn: true, port, properties, address));

    /// <summary>Another broker of the cluster whose first broker, and controller, this is.</summary>
    public async Task<KafkaBroker> JoinAsync()
    {
        var port = TestPorts.Free();
        var process = await KafkaProcess.StartNewAsync(Process.Distribution, port, $"""
            process.roles=broker
            node.id=2
            controller.quorum.voters=1@127.0.0.1:{Process.ControllerPort}
            listeners=PLAINTEXT://127.0.0.1:{port}
            """);
        return new(process.BootstrapServers, process);
    }

    public Task StopAsync() => Process.StopAsync();

    public Task KillAsync() => Process.KillAsync();

    public Task PauseAsync()
    {
        Process.Pause();
        return Task.CompletedTask;
    }

    public Task ResumeAsync()
    {
        Process.Resume();
        return Task.CompletedTask;
    }

    public Task StartAgainAsync() => Process.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _process?.Dispose();
        if (_container is not null)
        {
            await _container.DisposeAsync();
        }
    }

    internal static async ValueTask DisposeSharedAsync()
    {
        // A start that failed has nothing to end.
        if (Shared.IsValueCreated && Shared.Value.IsCompletedSuccessfully)
        {
            await (await Shared.Value).DisposeAsync();
        }
    }

    private static async Task<KafkaBroker> OrSkipAsync(Func<Task<KafkaBroker>> start)
    {
        try
        {
            return await start();
        }
        catch (NoKafkaException exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip(exception.Message);
            throw;
        }
    }

    private static async Task<KafkaBroker> StartAsync(bool isOwn, int port = 0, string properties = "", string address = "127.0.0.1")
    {
        if (!isOwn && Environment.GetEnvironmentVariable("ORLEANSMQTT_KAFKA") is { Length: > 0 } servers)
        {
            return new(servers);
        }

        var reason = "there is no Kafka";
        if (KafkaDistribution.Find() is { } distribution)
        {
            if (distribution.Java is not null)
            {
                var process = await KafkaProcess.StartNewAsync(distribution, port, properties, address);
                return new(process.BootstrapServers, process);
            }

            reason = $"there is no Java for the Kafka in {distribution.Jars}";
        }

        if (isOwn || !File.Exists("/var/run/docker.sock"))
        {
            throw new NoKafkaException(reason);
        }

        var container = new KafkaBuilder("confluentinc/cp-kafka:8.0.0").Build();
        await container.StartAsync();
        return new(container.GetBootstrapAddress(), container: container);
    }

    private sealed class NoKafkaException(string reason) : Exception(
        $"No broker, as {reason}: set ORLEANSMQTT_KAFKA (bootstrap servers) or KAFKA_HOME, put a Kafka into ../shared/kafka, or start Docker.");
}
