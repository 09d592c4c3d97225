using System.Diagnostics;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Runs the scenario Offline: subscribe and leave, publish, come back all at once.</summary>
internal sealed class OfflineRun(LoadSettings settings, string? password, IEnumerable<WatchedProcess> processes, TextWriter progress, CancellationToken stopping)
{
    private readonly List<WatchedProcess> _processes = [.. processes, new WatchedProcess("generator", Environment.ProcessId)];
    private long _nextLine;

    /// <exception cref="LoadException">The run could not be made.</exception>
    public async Task<OfflineResult> RunAsync()
    {
        var startedAt = DateTimeOffset.UtcNow;
        long subscribingSince = RunClock.Now;
        _processes.ForEach(process => process.Start());
        for (int first = 0; first < settings.Subscribers; first += Math.Min(settings.AtOnce, settings.Subscribers))
        {
            int count = Math.Min(settings.AtOnce, settings.Subscribers - first);
            using OfflineStage subscribing = new(settings, password, SubscribersWith(SessionUse.Begin, first), count);
            subscribing.Start();
            await WaitAsync(subscribing, stage => stage.Ready, count, settings.ConnectTimeout, "subscribed");
            subscribing.Stop();
        }

        double subscribeSeconds = Seconds(subscribingSince);
        _processes.ForEach(process => process.Sample());
        if (settings.Messages == 0)
        {
            return new OfflineResult
            {
                StartedAt = startedAt,
                Settings = settings,
                SubscribeSeconds = subscribeSeconds,
                Processes = [.. _processes.Select(process => process.ToResult(0, settings.Subscribers))],
                ExitCode = ExitCodes.Ok,
            };
        }

        double publishSeconds;
        using (OfflineStage publishing = new(settings, password, (worker, i) => new BacklogPublisher(worker, $"{settings.ClientPrefix}-p{i}", i), settings.Publishers))
        {
            long start = RunClock.Now;
            publishing.Start();
            await WaitAsync(publishing, stage => stage.Acknowledged, settings.Messages, settings.Drain, "acknowledged");
            publishSeconds = Seconds(start);
            publishing.Stop();
        }

        using OfflineStage returning = new(settings, password, SubscribersWith(SessionUse.Resume), settings.Subscribers);
        _processes.ForEach(process => process.Start());
        long begin = RunClock.Now;
        returning.Start();
        string? error = null;
        try
        {
            await WaitAsync(returning, stage => stage.Delivered, settings.Messages, settings.Drain, "delivered");
        }
        catch (LoadException exception)
        {
            error = exception.Message;
        }

        double seconds = Math.Max((returning.LastProgress - begin) / (double)Stopwatch.Frequency, 1e-9);
        _processes.ForEach(process => process.Sample());

        // A moment for messages that should not come at all.
        await Task.Delay(200, CancellationToken.None);
        returning.Stop();
        return AddUp(startedAt, returning, subscribeSeconds, publishSeconds, seconds, error);
    }

    private static double Seconds(long since) => (RunClock.Now - since) / (double)Stopwatch.Frequency;

    private Func<Worker, int, Connection> SubscribersWith(SessionUse use, int first = 0) =>
        (worker, i) => new Subscriber(worker, $"{settings.ClientPrefix}-s{first + i}", first + i, use);

    /// <summary>Waits until all is done; gives up when nothing happens for a while.</summary>
    private async Task WaitAsync(OfflineStage stage, Func<OfflineStage, long> count, long wanted, double patience, string what)
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

            if (stopping.IsCancellationRequested || Seconds(stage.LastProgress) > patience)
            {
                throw new LoadException($"only {now} of {wanted} were {what}{(stopping.IsCancellationRequested ? "" : $", and for {patience} s no more")}");
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

    private OfflineResult AddUp(DateTimeOffset startedAt, OfflineStage stage, double subscribeSeconds, double publishSeconds, double seconds, string? error)
    {
        long lost = 0;
        long duplicates = 0;
        long outOfOrder = 0;
        foreach (var subscriber in stage.Subscribers)
        {
            lost += subscriber.TrackerOf(subscriber.Index)!.Value.MissingBefore(BacklogPublisher.MessagesOf(settings, subscriber.Index));
            var (repeated, late) = subscriber.Irregularities();
            duplicates += repeated;
            outOfOrder += late;
        }

        int quality = Math.Min(settings.PublishQualityOfService, settings.SubscribeQualityOfService);
        bool isBroken = lost > 0 || outOfOrder > 0 || error is not null || (quality == 2 && duplicates > 0);
        return new OfflineResult
        {
            StartedAt = startedAt,
            Settings = settings,
            SubscribeSeconds = subscribeSeconds,
            PublishSeconds = publishSeconds,
            Delivered = stage.Delivered,
            DeliverySeconds = seconds,
            Lost = lost,
            Duplicates = duplicates,
            OutOfOrder = outOfOrder,
            FirstError = error,
            Processes = [.. _processes.Select(process => process.ToResult(stage.Delivered, 0))],
            ExitCode = isBroken ? ExitCodes.PromiseBroken : ExitCodes.Ok,
        };
    }
}
