namespace OrleansMqtt.Compare;

/// <summary>A running MQTT server, of one process or several that are a cluster, and the processes whose CPU and memory it costs.</summary>
internal sealed class MqttServer(string name, IReadOnlyList<(int Port, ChildProcess Process)> members, params (string Name, int Id)[] others) : IAsyncDisposable
{
    public string Name { get; } = name;

    /// <summary>Where clients connect: one port for each process.</summary>
    public IEnumerable<int> Ports => members.Select(member => member.Port);

    public IEnumerable<(string Name, int Id)> Processes => [.. members.Select((member, i) => (i == 0 ? "server" : $"server-{i + 1}", member.Process.Id)), .. others];

    public static async Task<MqttServer> StartMosquittoAsync(string output, CancellationToken cancellation)
    {
        int port = ChildProcess.FreePort();
        string configuration = Path.Combine(output, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, $"""
            listener {port} 127.0.0.1
            allow_anonymous true
            persistence false
            max_queued_messages 0
            max_inflight_messages 1000

            """, cancellation);
        string program = Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/sbin").Select(p => Path.Combine(p, "mosquitto")).FirstOrDefault(File.Exists)
            ?? throw new CompareException("mosquitto is not installed");
        var process = ChildProcess.Start(program, ["-c", configuration], Path.Combine(output, "mosquitto.log"));
        await using var starting = new Starting();
        await starting.AddAsync(port, process, null, cancellation);
        return new MqttServer("mosquitto", starting.Complete());
    }

    /// <param name="name">What the table calls it.</param>
    /// <param name="program">Our server.</param>
    /// <param name="output">The directory of logs and of the embedded log.</param>
    /// <param name="kafka">The broker; null for the embedded log.</param>
    /// <param name="count">How many processes; more than one need Kafka.</param>
    /// <param name="cancellation">Ends the start.</param>
    public static async Task<MqttServer> StartOursAsync(string name, string program, string output, KafkaBroker? kafka, int count, CancellationToken cancellation)
    {
        await using var starting = new Starting();
        int siloPort = ChildProcess.FreePort();
        string topics = $"compare-{siloPort}";
        for (int i = 0; i < count; i++)
        {
            int port = ChildProcess.FreePort();
            int http = ChildProcess.FreePort();
            var settings = kafka is null
                ? ServerSettings.OnEmbeddedLog(port, http, Path.Combine(output, $"{name}-data-{port}"))
                : ServerSettings.OnKafka(port, http, kafka.BootstrapServers, topics);
            if (count > 1)
            {
                ServerSettings.JoinCluster(settings, i == 0 ? siloPort : ChildProcess.FreePort(), siloPort);
            }

            await starting.AddAsync(port, ChildProcess.Start(program, [], Path.Combine(output, $"{name}-{port}.log"), settings), http, cancellation);
        }

        (string, int)[] others = kafka?.ProcessId is { } id ? [("kafka", id)] : [];
        return new MqttServer(name, starting.Complete(), others);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, process) in members.Reverse())
        {
            await process.DisposeAsync();
        }
    }

    /// <summary>Processes that are ended unless all come up.</summary>
    private sealed class Starting : IAsyncDisposable
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
        private List<(int Port, ChildProcess Process)> _members = [];

        public async Task AddAsync(int port, ChildProcess process, int? http, CancellationToken cancellation)
        {
            _members.Add((port, process));
            if (http is not null)
            {
                using var client = new HttpClient();
                await process.WaitForAsync(
                    ServerSettings.ReadyPath,
                    Limit,
                    async () => (await client.GetAsync(new Uri($"http://127.0.0.1:{http}{ServerSettings.ReadyPath}"), cancellation)).IsSuccessStatusCode,
                    cancellation);
            }

            await process.WaitForPortAsync(port, Limit, cancellation);
        }

        public List<(int Port, ChildProcess Process)> Complete()
        {
            var members = _members;
            _members = [];
            return members;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (_, process) in _members)
            {
                await process.DisposeAsync();
            }
        }
    }
}
