using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace OrleansMqtt.TestKit;

/// <summary>A broker and controller in one process, with all its state in a directory of its own; it ends with the test program at the latest.</summary>
internal sealed class KafkaProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private readonly KafkaDistribution _distribution;
    private readonly string _address;
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-kafka-").FullName;
    private readonly int _port;
    private readonly int _controllerPort;
    private readonly string _properties;
    private ChildProcess? _process;
    private int _isDisposed;

    private KafkaProcess(KafkaDistribution distribution, int port, string properties, string address)
    {
        (_distribution, _properties, _address) = (distribution, properties, address);
        (_port, _controllerPort) = port == 0 ? (TestPorts.Free(), TestPorts.Free()) : (port, port + 1);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public KafkaDistribution Distribution => _distribution;

    public int ControllerPort => _controllerPort;

    public string BootstrapServers => $"{_address}:{_port}";

    /// <param name="distribution">The program.</param>
    /// <param name="port">The port, with the next one for the controller; 0 takes free ones.</param>
    /// <param name="properties">More lines for <c>server.properties</c>; they count more than those here.</param>
    /// <param name="address">Where it listens.</param>
    public static async Task<KafkaProcess> StartNewAsync(KafkaDistribution distribution, int port = 0, string properties = "", string address = "127.0.0.1")
    {
        for (var attempt = 1; ; attempt++)
        {
            KafkaProcess kafka = new(distribution, port, properties, address);
            try
            {
                await kafka.FormatAsync();
                await kafka.StartAsync();
                return kafka;
            }
            catch (BrokerEndedException) when (attempt < 3)
            {
                // Another program may have taken one of the ports meanwhile.
                kafka.Dispose();
            }
            catch
            {
                kafka.Dispose();
                throw;
            }
        }
    }

    /// <summary>Starts it, the first time or again, and waits until it serves.</summary>
    public async Task StartAsync()
    {
        _process = Run("kafka.Kafka", Path.Combine(_directory, "server.properties"));
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = BootstrapServers, ReconnectBackoffMs = 50, ReconnectBackoffMaxMs = 200 })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        using CancellationTokenSource timeout = new(Limit);
        while (!await IsServingAsync(admin))
        {
            if (_process.HasExited)
            {
                throw new BrokerEndedException($"Kafka ended with {_process.ExitCode}:{Environment.NewLine}{string.Join(Environment.NewLine, _process.Lines)}");
            }

            timeout.Token.ThrowIfCancellationRequested();
        }
    }

    public async Task StopAsync()
    {
        Resume();
        _process!.Signal("TERM");
        await _process.WaitForExitAsync(Limit);
    }

    public Task KillAsync() => _process!.KillAsync();

    public void Pause() => _process!.Signal("STOP");

    public void Resume() => _process!.Signal("CONT");

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            AppDomain.CurrentDomain.ProcessExit -= OnExit;
            _process?.Kill();
            Directory.Delete(_directory, recursive: true);
        }
    }

    private static async Task<bool> IsServingAsync(IAdminClient admin)
    {
        try
        {
            return (await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = TimeSpan.FromSeconds(1) })).Controller is not null;
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private async Task FormatAsync()
    {
        var file = Path.Combine(_directory, "server.properties");
        await File.WriteAllTextAsync(file, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{_controllerPort}
            listeners=PLAINTEXT://{_address}:{_port},CONTROLLER://127.0.0.1:{_controllerPort}
            advertised.listeners=PLAINTEXT://{_address}:{_port}
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
            controller.listener.names=CONTROLLER
            log.dirs={Path.Combine(_directory, "data")}
            offsets.topic.num.partitions=4
            offsets.topic.replication.factor=1
            transaction.state.log.num.partitions=8
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0
            broker.session.timeout.ms=2000
            broker.heartbeat.interval.ms=400
            auto.create.topics.enable=false
            {_properties}
            """);
        await using var format = Run("kafka.tools.StorageTool", "format", "--cluster-id", "AAAAAAAAQACAAAAAAAAAAQ", "--config", file);
        await format.WaitForExitAsync(Limit);
        if (format.ExitCode != 0)
        {
            throw new InvalidOperationException($"Kafka's storage could not be formatted:{Environment.NewLine}{string.Join(Environment.NewLine, format.Lines)}");
        }
    }

    /// <summary>As the scripts of the distribution do, but without a shell between, so that the process is the one that signals go to.</summary>
    private ChildProcess Run(string mainClass, params string[] arguments) => ChildProcess.Start(
        _distribution.Java!,
        ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", $"-Dkafka.logs.dir={_directory}", "-cp", Path.Combine(_distribution.Jars, "*"), mainClass, .. arguments]);

    private void OnExit(object? sender, EventArgs e) => Dispose();

    private sealed class BrokerEndedException(string message) : Exception(message);
}
