using System.Globalization;
using OrleansMqtt.LoadGenerator;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.Compare;

/// <summary>Runs each scenario on each server in turn, several times; a server is started anew for each run, so that none inherits memory from the last.</summary>
internal sealed class Comparison(CompareSettings settings)
{
    private static readonly string LoadGenerator = Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.LoadGenerator");

    public async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(settings.Output);
        bool needsKafka = settings.Servers.Any(s => s.StartsWith("kafka", StringComparison.Ordinal));
        await using var kafka = needsKafka ? await KafkaBroker.StartAsync(settings.Repository, settings.Output, cancellation) : null;
        if (needsKafka && kafka is null)
        {
            throw new CompareException("no Kafka: set ORLEANSMQTT_KAFKA (bootstrap servers) or KAFKA_HOME (a distribution), or leave 'kafka' out of --servers");
        }

        if (needsKafka && settings.KafkaWarmUp > 0)
        {
            await WarmUpAsync(kafka!, cancellation);
        }

        var measurements = new List<Measurement>();
        foreach (var scenario in settings.Scenarios)
        {
            var runs = settings.Servers.ToDictionary(s => s, _ => new List<RunResult>());
            var unavailable = new Dictionary<string, string>();
            for (int repetition = 0; repetition < settings.Repetitions; repetition++)
            {
                foreach (string name in settings.Servers.Where(s => !unavailable.ContainsKey(s)))
                {
                    string file = Path.Combine(settings.Output, $"{scenario.Name}-{name}-{repetition + 1}");
                    Console.Error.WriteLine($"{scenario.Name} on {name}, {repetition + 1} of {settings.Repetitions}");
                    await using var server = await StartAsync(name, kafka, cancellation);
                    var (result, problem) = await MeasureAsync(scenario, server, file, cancellation);
                    if (result is null)
                    {
                        unavailable[name] = problem!;
                    }
                    else
                    {
                        runs[name].Add(result);
                    }
                }
            }

            measurements.AddRange(settings.Servers.Select(s => new Measurement(scenario.Name, s, Median(runs[s], scenario), unavailable.GetValueOrDefault(s))));
        }

        return measurements;
    }

    /// <summary>A broker that was just started spends most of its time on compiling itself: that is no cost of a message.</summary>
    private async Task WarmUpAsync(KafkaBroker kafka, CancellationToken cancellation)
    {
        Console.Error.WriteLine($"warming up Kafka for {settings.KafkaWarmUp:F0} s");
        await using var server = await StartAsync("kafka", kafka, cancellation);
        CompareScenario load = new("warm-up", "", ["p2p", "--qos", "1", "--rate", "5000", "--duration", settings.KafkaWarmUp.ToString(CultureInfo.InvariantCulture)]);
        await MeasureAsync(load, server, Path.Combine(settings.Output, load.Name), cancellation);
    }

    private static RunResult? Median(List<RunResult> runs, CompareScenario scenario)
    {
        // At a given rate the throughput says nothing: the run in the middle is the one with the middle latency.
        var ordered = scenario.IsConnections ? runs.OrderBy(r => r.Processes[0].BytesPerConnection)
            : scenario.Arguments.Contains("--rate") ? runs.OrderBy(r => r.EndToEnd.P99)
            : runs.OrderBy(r => r.DeliveredPerSecond);
        return ordered.ElementAtOrDefault((runs.Count - 1) / 2);
    }

    private Task<MqttServer> StartAsync(string name, KafkaBroker? kafka, CancellationToken cancellation) => name switch
    {
        "mosquitto" => MqttServer.StartMosquittoAsync(settings.Output, cancellation),
        "embedded" => MqttServer.StartOursAsync(name, settings.ServerProgram, settings.Output, null, 1, cancellation),
        _ => MqttServer.StartOursAsync(name, settings.ServerProgram, settings.Output, kafka, name is "kafka" ? 1 : name[^1] - '0', cancellation),
    };

    private async Task<(RunResult? Result, string? Problem)> MeasureAsync(CompareScenario scenario, MqttServer server, string file, CancellationToken cancellation)
    {
        List<string> arguments = [.. scenario.Arguments, .. server.Ports.SelectMany(port => (string[])["--port", $"{port}"]), "--json", $"{file}.json"];
        if (!scenario.Arguments.Contains("--duration"))
        {
            arguments.AddRange(["--duration", settings.Duration.ToString(CultureInfo.InvariantCulture)]);
        }

        if (scenario.IsConnections)
        {
            arguments.AddRange(["--connections", $"{settings.Connections}"]);
        }
        else
        {
            arguments.AddRange(["--warm-up", settings.WarmUp.ToString(CultureInfo.InvariantCulture)]);
        }

        foreach (var (name, id) in server.Processes)
        {
            arguments.AddRange(["--pid", $"{name}={id}"]);
        }

        int code = await ChildProcess.RunAsync(LoadGenerator, arguments, $"{file}.log", cancellation);
        if (code is ExitCodes.Ok or ExitCodes.PromiseBroken && File.Exists($"{file}.json"))
        {
            return (RunResult.FromJson(await File.ReadAllTextAsync($"{file}.json", cancellation)), null);
        }

        string line = (await File.ReadAllLinesAsync($"{file}.log", cancellation)).LastOrDefault(l => l.StartsWith("error: ", StringComparison.Ordinal)) ?? $"exit code {code}";
        return code == ExitCodes.NotOffered ? (null, "not offered") : (null, line);
    }
}
