namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Sends one input to the server and holds its answers against the model.</summary>
internal static class FuzzRun
{
    /// <summary>For one connection, on a machine that does much else.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <param name="open">Opens the connection.</param>
    /// <param name="input">What is sent.</param>
    /// <param name="model">What has to be answered; null when nobody can tell.</param>
    /// <returns>What was received.</returns>
    public static async Task<AnswerReader> RunAsync(Func<Task<FuzzChannel>> open, FuzzInput input, ServerModel? model)
    {
        using CancellationTokenSource timeout = new(Limit);
        var answers = new AnswerReader(input.IsWebSocket);
        try
        {
            await using var channel = await open();
            foreach (var chunk in input.Chunks)
            {
                if (!await channel.WriteAsync(chunk, timeout.Token))
                {
                    break;
                }

                await Task.Yield();
            }

            await ReceiveAsync(channel, model, answers, timeout.Token);
            await channel.ServedAsync(timeout.Token);
            if (model is not null)
            {
                Check(model, answers, channel.MayLoseAnswers);
            }

            return answers;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The connection hangs; until now: {string.Join(", ", answers.Answers)}");
        }
    }

    private static async Task ReceiveAsync(FuzzChannel channel, ServerModel? model, AnswerReader answers, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var hasEnded = false;
        while (true)
        {
            // A client that is served ends when it has all answers; one that is not has to be ended by the server.
            var isServed = model is not { Failure: not null } and not { IsDisconnected: true };
            if (!hasEnded && isServed && (model is null || model.HasSmallPackets || answers.Answers.Count >= model.Answers.Count))
            {
                hasEnded = true;
                await channel.EndAsync();
            }

            var count = await channel.ReadAsync(buffer, cancellationToken);
            if (count == 0)
            {
                break;
            }

            if (model is not null)
            {
                answers.Add(buffer.AsSpan(0, count), model.Version);
            }
        }

        if (!hasEnded)
        {
            await channel.EndAsync();
        }
    }

    private static void Check(ServerModel model, AnswerReader answers, bool mayLoseAnswers)
    {
        // A client that is served ends when it has all answers; a message that comes just then may be cut.
        Assert.True(answers.IsWhole || (answers.EndsInMessage && model is { Failure: null, IsDisconnected: false }), "The last packet is not whole.");
        var got = answers.Answers;
        var expected = model.Answers;
        if (model.HasSmallPackets)
        {
            return;
        }

        if (model.Failure is { } codes)
        {
            var last = got.Count > 0 && (got[^1].StartsWith("DISCONNECT", StringComparison.Ordinal) || (got[^1].StartsWith("CONNACK", StringComparison.Ordinal) && got[^1] != "CONNACK 00")) ? got[^1] : null;
            var name = model.IsConnected ? "DISCONNECT" : "CONNACK";
            var isRight = codes.Length == 0 ? last is null : codes.Any(code => last == $"{name} {code:X2}") || (last is null && mayLoseAnswers);
            Assert.True(isRight, $"It ends with {last ?? "nothing"}, not with {name} {Convert.ToHexString(codes)}.");
            got = last is null ? got : got[..^1];
        }

        var rest = new List<string>(expected);
        foreach (var answer in got)
        {
            Assert.True(rest.Remove(answer), $"{answer} is not expected, or too often; expected: {string.Join(", ", expected)}.");
        }

        if (model.Failure is null && !model.IsDisconnected)
        {
            Assert.True(rest.Count == 0, $"Missing: {string.Join(", ", rest)}.");
        }

        // [MQTT-4.6.0-2], [MQTT-4.6.0-3]: those that were not lost, in the order of the messages.
        var publishes = expected.Where(IsOfPublish).ToList();
        var position = 0;
        foreach (var answer in got.Where(IsOfPublish))
        {
            position = publishes.IndexOf(answer, position) + 1;
            Assert.True(position > 0, $"{answer} is not in the order of the messages.");
        }

        static bool IsOfPublish(string answer) => answer.StartsWith("PUBACK", StringComparison.Ordinal) || answer.StartsWith("PUBREC", StringComparison.Ordinal);
    }
}
