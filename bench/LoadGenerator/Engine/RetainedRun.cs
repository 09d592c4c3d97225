using System.Diagnostics;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Runs the scenario Retained: publish to all topics, then subscribe to all of them, and to every tenth with a wildcard between.</summary>
internal sealed class RetainedRun(LoadSettings settings, string? password, IEnumerable<WatchedProcess> processes, TextWriter progress, CancellationToken stopping)
{
    private static readonly string[] Names = ["temp", "humidity", "pressure", "state", "battery", "signal", "voltage", "current", "power", "alarm"];
    private readonly List<WatchedProcess> _processes = [.. processes, new WatchedProcess("generator", Environment.ProcessId)];
    private long _nextLine;

    /// <summary>The topic of a number: ten names for each site.</summary>
    public static string TopicOf(LoadSettings settings, int number) => $"{settings.TopicPrefix}/{number / Names.Length}/{Names[number % Names.Length]}";

    /// <exception cref="LoadException">The run could not be made.</exception>
    public async Task<RetainedResult> RunAsync()
    {
        var startedAt = DateTimeOffset.UtcNow;
        _processes.ForEach(process => process.Start());
        double publishSeconds = 0;
        if (!settings.SubscribeOnly)
        {
            using OfflineStage publishing = new(settings, password, (worker, i) => new RetainedPublisher(worker, $"{settings.ClientPrefix}-p{i}", i), settings.Publishers);
            long start = RunClock.Now;
            publishing.Start();
            await WaitAsync(publishing, stage => stage.Acknowledged, settings.Messages, "published");
            publishSeconds = Seconds(start);
            publishing.Stop();
        }

        List<RetainedResult.Subscription> subscriptions =
        [
            await SubscribeAsync($"{settings.TopicPrefix}/#", settings.Messages),
            await SubscribeAsync($"{settings.TopicPrefix}/+/{Names[0]}", (settings.Messages + Names.Length - 1) / Names.Length),
        ];
        _processes.ForEach(process => process.Sample());
        return new RetainedResult
        {
            StartedAt = startedAt,
            Settings = settings,
            PublishSeconds = publishSeconds,
            Subscriptions = subscriptions,
            Processes = [.. _processes.Select(process => process.ToResult(subscriptions.Sum(subscription => subscription.Received), 0))],
            ExitCode = subscriptions.TrueForAll(subscription => subscription.IsComplete) ? ExitCodes.Ok : ExitCodes.PromiseBroken,
        };
    }

    private static double Seconds(long since) => (RunClock.Now - since) / (double)Stopwatch.Frequency;

    private async Task<RetainedResult.Subscription> SubscribeAsync(string filter, long expected)
    {
        RetainedSubscriber? subscriber = null;
        using OfflineStage stage = new(
            settings with { Threads = 1 }, password, (worker, _) => subscriber = new RetainedSubscriber(worker, $"{settings.ClientPrefix}-s", filter), 1);
        long start = RunClock.Now;
        stage.Start();
        string? error = null;
        try
        {
            await WaitAsync(stage, each => each.Delivered, 1, $"received of {filter}");
            double first = Seconds(start);
            await WaitAsync(stage, each => each.Delivered, expected, $"received of {filter}");
            double last = (stage.LastProgress - start) / (double)Stopwatch.Frequency;

            // A moment for messages that should not come at all.
            await Task.Delay(200, CancellationToken.None);
            stage.Stop();
            return new(filter, expected, stage.Delivered, subscriber!.Duplicates, first, last, error);
        }
        catch (LoadException exception)
        {
            error = exception.Message;
            stage.Stop();
            return new(filter, expected, stage.Delivered, subscriber!.Duplicates, 0, (stage.LastProgress - start) / (double)Stopwatch.Frequency, error);
        }
    }

    /// <summary>Waits until all is done; gives up when nothing happens for a while.</summary>
    private async Task WaitAsync(OfflineStage stage, Func<OfflineStage, long> count, long wanted, string what)
    {
        while (true)
        {
            long now = count(stage);
            stage.Progress(now);
            if (stage.Error is { } error)
            {
                throw error;
            }

            if (now >= wanted)
            {
                return;
            }

            if (stopping.IsCancellationRequested || Seconds(stage.LastProgress) > settings.Drain)
            {
                throw new LoadException($"only {now} of {wanted} were {what}{(stopping.IsCancellationRequested ? "" : $", and for {settings.Drain} s no more")}");
            }

            if (RunClock.Now > _nextLine)
            {
                _nextLine = RunClock.Now + Stopwatch.Frequency;
                progress.WriteLine($"{what} {now} of {wanted}");
                _processes.ForEach(process => process.Sample());
            }

            await Task.Delay(2, CancellationToken.None);
        }
    }
}
