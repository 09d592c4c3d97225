using System.Diagnostics;
using System.Globalization;
using Xunit.Sdk;

namespace OrleansMqtt.Faults;

/// <summary><c>--connections N</c>: as many on two edges, one is killed. Otherwise <c>--seed N --minutes M</c>: random faults; <c>--matrix</c>: each fault once; <c>--only A,B</c>: these; <c>--silos</c>, <c>--silo-roles</c>, <c>--edges</c>, <c>--outage SECONDS</c>, <c>--logs FILE</c>.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        try
        {
            return await RunAsync(arguments);
        }
        catch (SkipException exception)
        {
            // Something that it needs is not there.
            Print(exception.Message.Replace("$XunitDynamicSkip$", "", StringComparison.Ordinal));
            return 2;
        }
    }

    private static async Task<int> RunAsync(string[] arguments)
    {
        if (Number(arguments, "--connections", 0) is > 0 and var connections)
        {
            return await EdgeLoss.RunAsync(connections, TimeSpan.FromSeconds(30), Print) ? 0 : 1;
        }

        var isMatrix = arguments.Contains("--matrix");
        var seed = Number(arguments, "--seed", Random.Shared.Next(1, 1_000_000));
        var minutes = Number(arguments, "--minutes", 5);
        Print($"seed {seed}");
        var siloRoles = Text(arguments, "--silo-roles") ?? "silo";
        var edges = Number(arguments, "--edges", 2);
        var whyNoNetwork = siloRoles == "silo" ? TestNetwork.WhyNot() : "the silos have edges, which clients reach on this machine alone";
        var kinds = Enum.GetValues<FaultKind>().Where(kind => kind switch
        {
            FaultKind.SiloIsolation => whyNoNetwork is null,
            FaultKind.EdgeKill or FaultKind.EdgeHang => edges > 0,
            _ => true,
        }).ToArray();
        if (whyNoNetwork is not null)
        {
            Print($"{FaultKind.SiloIsolation}: skipped, without network namespaces: {whyNoNetwork}");
        }

        await using var run = await FaultRun.StartAsync(
            seed, Number(arguments, "--silos", 3), edges, TimeSpan.FromSeconds(Number(arguments, "--outage", isMatrix ? 30 : 10)), whyNoNetwork is null, siloRoles);
        var start = Stopwatch.GetTimestamp();
        try
        {
            foreach (var kind in Plan(arguments, isMatrix, kinds, seed).TakeWhile(_ => isMatrix || Text(arguments, "--only") is not null || Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(minutes)))
            {
                await run.RunAsync(kind, Print);
            }
        }
        catch (Exception exception)
        {
            Print($"Ended by {exception}");
            return await EndAsync(run, arguments, isCorrect: false);
        }

        return await EndAsync(run, arguments, run.Rows.All(row => row.IsCorrect));
    }

    private static IEnumerable<FaultKind> Plan(string[] arguments, bool isMatrix, FaultKind[] kinds, int seed)
    {
        if (Text(arguments, "--only") is { } only)
        {
            return only.Split(',').Select(Enum.Parse<FaultKind>);
        }

        return isMatrix ? kinds : Endless(kinds, new(seed));
    }

    private static IEnumerable<FaultKind> Endless(FaultKind[] kinds, Random random)
    {
        while (true)
        {
            yield return kinds[random.Next(kinds.Length)];
        }
    }

    private static async Task<int> EndAsync(FaultRun run, string[] arguments, bool isCorrect)
    {
        Print(run.Summary);
        if (Text(arguments, "--logs") is { } file)
        {
            await File.WriteAllTextAsync(file, run.Logs);
        }

        return isCorrect ? 0 : 1;
    }

    private static string? Text(string[] arguments, string name) => Array.IndexOf(arguments, name) is >= 0 and var at ? arguments[at + 1] : null;

    private static int Number(string[] arguments, string name, int otherwise) => Text(arguments, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static void Print(string line) => Console.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {line}");
}
