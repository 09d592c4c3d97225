using System.Collections.Concurrent;
using System.Globalization;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Runs the inputs of a seed, several at a time, and tells which fail.</summary>
/// <param name="seed">Makes the inputs.</param>
/// <param name="workers">How many connections at a time.</param>
/// <param name="run">Runs an input with its number.</param>
internal sealed class FuzzInputs(int seed, int workers, Func<FuzzInput, int, Task> run)
{
    private const int MostFailures = 10;

    /// <summary>A number from the environment.</summary>
    public static int Setting(string name, int otherwise)
        => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Runs the inputs of these numbers.</summary>
    public async Task RunAsync(int first, int end)
    {
        var next = first - 1;
        ConcurrentQueue<Exception> failures = new();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            for (int number; failures.Count < MostFailures && (number = Interlocked.Increment(ref next)) < end;)
            {
                var input = FuzzGenerator.Make(seed, number);
                try
                {
                    await run(input, number);
                }
                catch (Exception exception)
                {
                    failures.Enqueue(new InvalidOperationException($"ORLEANSMQTT_SEED={seed} ORLEANSMQTT_FUZZ_INPUT={number} fails: {exception.Message}\n{input}", exception));
                }
            }
        })));
        Assert.True(failures.IsEmpty, string.Join("\n\n", failures.Select(static failure => failure.Message)));
    }
}
