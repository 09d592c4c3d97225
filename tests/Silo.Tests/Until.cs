using System.Diagnostics;
using System.Globalization;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Waits for what only asking again and again can tell.</summary>
internal static class Until
{
    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> state)
    {
        var start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(60))
            {
                throw new TimeoutException(state());
            }

            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Until the sum of a metric's samples, of those with a label, is what it should be.</summary>
    public static async Task MetricAsync(MqttServer server, string name, string label, double expected)
    {
        var value = double.NaN;
        await TrueAsync(async () => (value = await ReadMetricAsync(server, name, label)) == expected, () => $"{name}{{{label}}} is {value} instead of {expected}.");
    }

    public static async Task<double> ReadMetricAsync(MqttServer server, string name, string label = "") => (await server.GetAsync("/metrics")).Split('\n')
        .Where(line => line.StartsWith($"{name}{{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));

    public static async Task ReadyAsync(MqttServer server, int status)
    {
        var answer = "";
        await TrueAsync(
            async () => (answer = await server.GetAsync("/health/ready")).StartsWith($"{status}", StringComparison.Ordinal), () => $"/health/ready is {answer} instead of {status}.");
    }
}
