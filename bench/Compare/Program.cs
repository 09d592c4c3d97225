using System.CommandLine;
using System.Text.Json;
using OrleansMqtt.Compare;
using OrleansMqtt.LoadGenerator.Measuring;

string[] servers = ["kafka", "embedded", "mosquitto"];
string[] clusters = ["kafka-2", "kafka-3"];
string[] names = [.. CompareScenario.All.Select(s => s.Name)];
var serversOption = new Option<string[]>("--servers")
{
    Description = "ours on Kafka, ours on the embedded log, mosquitto; ours on Kafka as a cluster of two or three processes",
    DefaultValueFactory = _ => servers,
    AllowMultipleArgumentsPerToken = true,
}.AcceptOnlyFromAmong([.. servers, .. clusters]);
var scenariosOption = new Option<string[]>("--scenarios")
{
    Description = string.Join("; ", CompareScenario.All.Select(s => $"{s.Name}: {s.Description}")),
    DefaultValueFactory = _ => names,
    AllowMultipleArgumentsPerToken = true,
}.AcceptOnlyFromAmong(names);
var duration = new Option<double>("--duration") { Description = "measured seconds of a run", DefaultValueFactory = _ => 15 };
var warmUp = new Option<double>("--warm-up") { Description = "seconds before measuring", DefaultValueFactory = _ => 5 };
var kafkaWarmUp = new Option<double>("--kafka-warm-up") { Description = "seconds of load on Kafka before the first run: its virtual machine compiles for about a minute", DefaultValueFactory = _ => 45 };
var repetitions = new Option<int>("--repetitions") { Description = "runs of each scenario on each server; the table shows the median", DefaultValueFactory = _ => 3 };
var connections = new Option<int>("--connections") { Description = "idle connections of the scenario connections", DefaultValueFactory = _ => 9000 };
var output = new Option<string>("--output") { Description = "directory of results and logs", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), $"compare-{DateTime.UtcNow:yyyyMMdd-HHmmss}") };
var program = new Option<string?>("--server") { Description = "our server's program (default: the Release build of src/Silo)" };

var root = new RootCommand("Runs ours on Kafka, ours on the embedded log, and mosquitto side by side, and prints a table.")
{
    serversOption, scenariosOption, duration, warmUp, kafkaWarmUp, repetitions, connections, output, program,
};
root.SetAction(async (parsed, cancellation) =>
{
    try
    {
        string repository = FindRepository();
        var chosen = parsed.GetValue(serversOption)!;
        string server = parsed.GetValue(program) ?? Path.Combine(repository, "src/Silo/bin/Release/net10.0/OrleansMqtt.Silo");
        if (chosen.Any(s => s != "mosquitto") && !File.Exists(server))
        {
            throw new CompareException($"{server} does not exist: run 'dotnet build -c Release src/Silo' first");
        }

        var settings = new CompareSettings(
            repository,
            Path.GetFullPath(parsed.GetValue(output)!),
            chosen,
            [.. CompareScenario.All.Where(s => parsed.GetValue(scenariosOption)!.Contains(s.Name))],
            parsed.GetValue(duration),
            parsed.GetValue(warmUp),
            parsed.GetValue(kafkaWarmUp),
            Math.Max(1, parsed.GetValue(repetitions)),
            parsed.GetValue(connections),
            server);
        var measurements = await new Comparison(settings).RunAsync(cancellation);
        string table = ResultTable.Of(measurements);
        await File.WriteAllTextAsync(Path.Combine(settings.Output, "results.md"), table, cancellation);
        string json = "[\n" + string.Join(",\n", measurements.Select(m =>
            $"{{\"scenario\":{JsonSerializer.Serialize(m.Scenario)},\"server\":{JsonSerializer.Serialize(m.Server)},\"unavailable\":{JsonSerializer.Serialize(m.Unavailable)},"
            + $"\"result\":{m.Result?.ToJson() ?? "null"}}}")) + "\n]\n";
        await File.WriteAllTextAsync(Path.Combine(settings.Output, "results.json"), json, cancellation);
        Console.WriteLine(table);
        Console.Error.WriteLine($"results and logs: {settings.Output}");
        return measurements.Any(m => m.Result is null && m.Unavailable != "not offered" || m.Result?.ExitCode == 1) ? 1 : 0;
    }
    catch (CompareException error)
    {
        await Console.Error.WriteLineAsync($"error: {error.Message}");
        return 2;
    }
    catch (OperationCanceledException)
    {
        await Console.Error.WriteLineAsync("stopped");
        return 2;
    }
});
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });

static string FindRepository()
{
    for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
    {
        if (File.Exists(Path.Combine(directory.FullName, "OrleansMqtt.sln")))
        {
            return directory.FullName;
        }
    }

    throw new CompareException("OrleansMqtt.sln is not above the program");
}
