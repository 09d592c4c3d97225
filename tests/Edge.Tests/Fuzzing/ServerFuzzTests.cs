namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>
/// The same inputs for the whole server, by its port. <c>ORLEANSMQTT_FUZZ_SERVER</c> is the number of inputs, <c>ORLEANSMQTT_SEED</c> makes others; with
/// <c>ORLEANSMQTT_FUZZ_INPUT</c> one input runs alone, as a failure prints it.
/// </summary>
[Collection(nameof(FuzzTests))]
public sealed class ServerFuzzTests(ITestOutputHelper output)
{
    private const int Workers = 16;

    /// <summary>What the memory of a process may grow by itself.</summary>
    private const long Slack = 96 * 1024 * 1024;

    /// <summary>What a topic with a retained message may take.</summary>
    private const long PerTopic = 4 * 1024;

    [Fact]
    public async Task The_whole_server_answers_whatever_clients_send_as_specified_and_harms_nobody()
    {
        var (inputs, seed) = (FuzzInputs.Setting("ORLEANSMQTT_FUZZ_SERVER", 10_000), FuzzInputs.Setting("ORLEANSMQTT_SEED", 1));
        await using var server = await FuzzServer.StartAsync();
        FuzzInputs runs = new(seed, Workers, (input, number) => RunAsync(server, input, number));
        if (FuzzInputs.Setting("ORLEANSMQTT_FUZZ_INPUT", -1) is >= 0 and var only)
        {
            await runs.RunAsync(only, only + 1);
            return;
        }

        using var witness = await Witness.ConnectAsync(server.Port);
        using CancellationTokenSource done = new();
        var watched = Task.Run(() => witness.RunAsync(TimeSpan.FromSeconds(1), done.Token));

        // Caches fill in the first part.
        await runs.RunAsync(0, inputs / 4);
        await server.SettleAsync(clients: 1);
        var (before, retainedBefore) = (server.MeasureMemory(), await server.CountRetainedAsync());
        await runs.RunAsync(inputs / 4, inputs);
        await server.SettleAsync(clients: 1);
        var (after, retained) = (server.MeasureMemory(), await server.CountRetainedAsync());
        await done.CancelAsync();
        output.WriteLine($"{inputs} inputs; {await watched} messages of the witness, the slowest took {witness.Slowest.TotalMilliseconds:N0} ms; "
            + $"{before / 1024:N0} KB with {retainedBefore} retained topics before, {after / 1024:N0} KB with {retained} after");
        Assert.Empty(server.Unexpected);
        Assert.InRange(after, 0, before + Slack + (PerTopic * (retained - retainedBefore)));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_stream_to_the_whole_server_may_be_split_anywhere(bool isV5)
    {
        await using var server = await FuzzServer.StartAsync();
        for (var seed = 0; seed < 2; seed++)
        {
            var stream = FuzzGenerator.MakeValid(seed, isV5, count: 6);
            await RunAsync(server, new([.. stream.Select(static each => new[] { each })], IsWebSocket: false, stream), 0);
            for (var split = 1; split < Math.Min(stream.Length, 300); split++)
            {
                byte[][] parts = [stream[..split], stream[split..]];
                await RunAsync(server, new(parts, IsWebSocket: false, stream), split);
                await RunAsync(server, FuzzGenerator.MakeWebSocket(new Random(split), stream, parts), split);
            }
        }

        await server.SettleAsync(clients: 0);
        Assert.Empty(server.Unexpected);
    }

    private static async Task RunAsync(FuzzServer server, FuzzInput input, int number)
    {
        var model = input.Stream is { } stream ? ServerModel.Run(stream, method: null) : null;
        var answers = await FuzzRun.RunAsync(() => server.ConnectAsync(number), input, model);
        if (model is null)
        {
            return;
        }

        foreach (var (topic, _) in answers.Deliveries)
        {
            // A topic alias of the server stands for a topic that came before.
            Assert.True(topic.Length == 0 || model.Asked.Any(filter => IsMatch(filter, topic)), $"A message on {topic} came for the filters {string.Join(", ", model.Asked)}.");
        }
    }

    private static bool IsMatch(string filter, string topic)
    {
        filter = filter.StartsWith("$share/", StringComparison.Ordinal) ? filter.Split('/', 3)[2] : filter;
        var (levels, names) = (filter.Split('/'), topic.Split('/'));
        if (topic[0] == '$' && levels[0] is "+" or "#")
        {
            return false;
        }

        for (var i = 0; i < levels.Length; i++)
        {
            if (levels[i] == "#")
            {
                return true;
            }

            if (i == names.Length || (levels[i] != "+" && levels[i] != names[i]))
            {
                return false;
            }
        }

        return levels.Length == names.Length;
    }
}
