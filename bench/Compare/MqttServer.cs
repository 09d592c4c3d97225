namespace OrleansMqtt.Compare;

/// <summary>A running MQTT server and the processes whose CPU and memory it costs.</summary>
internal sealed class MqttServer(string name, int port, ChildProcess process, params (string Name, int Id)[] others) : IAsyncDisposable
{
    public string Name { get; } = name;

    public int Port { get; } = port;

    public IEnumerable<(string Name, int Id)> Processes => [("server", process.Id), .. others];

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
        return await ReadyAsync(new MqttServer("mosquitto", port, process), process, null, cancellation);
    }

    public static async Task<MqttServer> StartOursAsync(string name, string program, string output, KafkaBroker? kafka, CancellationToken cancellation)
    {
        int port = ChildProcess.FreePort();
        int http = ChildProcess.FreePort();
        var settings = kafka is null
            ? ServerSettings.OnEmbeddedLog(port, http, Path.Combine(output, $"{name}-data-{port}"))
            : ServerSettings.OnKafka(port, http, kafka.BootstrapServers, $"compare-{port}");
        var process = ChildProcess.Start(program, [], Path.Combine(output, $"{name}-{port}.log"), settings);
        (string, int)[] others = kafka?.ProcessId is { } id ? [("kafka", id)] : [];
        return await ReadyAsync(new MqttServer(name, port, process, others), process, http, cancellation);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static async Task<MqttServer> ReadyAsync(MqttServer server, ChildProcess process, int? http, CancellationToken cancellation)
    {
        try
        {
            var limit = TimeSpan.FromSeconds(60);
            if (http is not null)
            {
                using var client = new HttpClient();
                await process.WaitForAsync(
                    ServerSettings.ReadyPath,
                    limit,
                    async () => (await client.GetAsync(new Uri($"http://127.0.0.1:{http}{ServerSettings.ReadyPath}"), cancellation)).IsSuccessStatusCode,
                    cancellation);
            }

            await process.WaitForPortAsync(server.Port, limit, cancellation);
            return server;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }
}
