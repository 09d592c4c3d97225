using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// The publishes of one connection that are on their way to the log: a queue in the order of receipt, from whose head PUBACKs are sent ([MQTT-4.6.0-2]), and the
/// connection's byte credit.
/// </summary>
internal sealed class OutstandingPublishes(MqttConnection connection, EdgeContext context)
{
    private readonly Queue<PublishRun> _runs = new(1);
    private TaskCompletionSource? _creditReturned;
    private TaskCompletionSource? _settled;
    private long _bytes;
    private int _unacknowledged;
    private int _unsettledRuns;
    private bool _hasFailed;

    /// <summary>Counts a QoS 1 publish on its receipt; false when the client has more outstanding than the server's Receive Maximum.</summary>
    public bool TryCountReceived(int receiveMaximum) => Interlocked.Increment(ref _unacknowledged) <= receiveMaximum;

    /// <summary>Takes the credit of a run, waiting for it if need be; false when the connection is closing.</summary>
    public ValueTask<bool> TakeCreditAsync(PublishRun run, CancellationToken closing)
    {
        var outstanding = Volatile.Read(ref _bytes);
        return outstanding > 0 && outstanding + run.Bytes > context.Options.ConnectionPublishBytes
            ? WaitAndTakeAsync(run, closing)
            : TakeTotalAsync(run, closing);
    }

    /// <summary>Puts a run into the queue, before it is handed to the log.</summary>
    public void Add(PublishRun run)
    {
        Interlocked.Increment(ref _unsettledRuns);
        lock (_runs)
        {
            _runs.Enqueue(run);
        }
    }

    /// <summary>A message of the run is stored, or never will be. From any thread.</summary>
    public void OnSettled(PublishRun run, bool isLastOfRun)
    {
        if (isLastOfRun)
        {
            context.Credits.Release(run.Bytes);
            if (run.GetLatency() is { } latency)
            {
                context.Metrics.PublishLatency(latency);
            }
        }

        connection.Output.Schedule();
        if (isLastOfRun && Interlocked.Decrement(ref _unsettledRuns) == 0)
        {
            Volatile.Read(ref _settled)?.TrySetResult();
        }
    }

    /// <summary>Completes when nothing is on its way to the log. Call when nothing more is handed over.</summary>
    public Task WaitUntilSettledAsync()
    {
        if (Volatile.Read(ref _unsettledRuns) == 0)
        {
            return Task.CompletedTask;
        }

        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        settled = Interlocked.CompareExchange(ref _settled, settled, null) ?? settled;
        if (Volatile.Read(ref _unsettledRuns) == 0)
        {
            settled.TrySetResult();
        }

        return settled.Task;
    }

    /// <summary>
    /// Writes the PUBACKs that are due. Called by one thread at a time. Returns why a publish was not stored: nothing after it is acknowledged.
    /// </summary>
    public string? WriteAnswers(ref OutputBuffer output)
    {
        var acknowledged = 0;
        long bytes = 0;
        string? error = null;
        while (!_hasFailed && TryPeek(out var run))
        {
            while (run.TryTakeAnswer(out var packetId, out var isStored))
            {
                if (!isStored)
                {
                    error = run.Error ?? "not stored";
                    _hasFailed = true;
                    break;
                }

                if (packetId != 0)
                {
                    output.WritePubAck(packetId);
                    acknowledged++;
                }
            }

            if (!run.IsAnswered)
            {
                break;
            }

            bytes += run.Bytes;
            lock (_runs)
            {
                _runs.Dequeue();
            }
        }

        // Before the flush: the client may use the room as soon as it has the PUBACK.
        if (acknowledged > 0)
        {
            Interlocked.Add(ref _unacknowledged, -acknowledged);
        }

        if (bytes > 0)
        {
            ReturnCredit(bytes);
        }

        return error;
    }

    private bool TryPeek(out PublishRun run)
    {
        lock (_runs)
        {
            return _runs.TryPeek(out run!);
        }
    }

    private void ReturnCredit(long bytes)
    {
        Interlocked.Add(ref _bytes, -bytes);
        if (Volatile.Read(ref _creditReturned) is not null)
        {
            Interlocked.Exchange(ref _creditReturned, null)?.TrySetResult();
        }
    }

    private async ValueTask<bool> WaitAndTakeAsync(PublishRun run, CancellationToken closing)
    {
        context.Metrics.PublishStalled();
        while (true)
        {
            var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref _creditReturned, returned);
            var outstanding = Volatile.Read(ref _bytes);
            if (outstanding == 0 || outstanding + run.Bytes <= context.Options.ConnectionPublishBytes)
            {
                return await TakeTotalAsync(run, closing);
            }

            await using var registration = closing.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), returned).ConfigureAwait(false);
            await returned.Task;
            if (closing.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    private ValueTask<bool> TakeTotalAsync(PublishRun run, CancellationToken closing)
    {
        var taken = context.Credits.TakeAsync(run.Bytes, closing);
        if (!taken.IsCompletedSuccessfully)
        {
            return AwaitTotalAsync(taken, run);
        }

        if (taken.Result)
        {
            Interlocked.Add(ref _bytes, run.Bytes);
            return new(true);
        }

        return new(false);
    }

    private async ValueTask<bool> AwaitTotalAsync(ValueTask<bool> taken, PublishRun run)
    {
        if (!await taken)
        {
            return false;
        }

        Interlocked.Add(ref _bytes, run.Bytes);
        return true;
    }
}
