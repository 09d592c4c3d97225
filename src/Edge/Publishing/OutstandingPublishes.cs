using System.Collections.Concurrent;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// What of one connection is under way: a queue in the order of receipt, from whose head the answers are sent ([MQTT-4.6.0-2], [MQTT-4.6.0-3]), and the connection's byte
/// credit.
/// </summary>
internal sealed class OutstandingPublishes(MqttConnection connection, EdgeContext context)
{
    private readonly Queue<InboundRun> _runs = new(1);
    private readonly UnsettledRuns _unsettled = new();
    private TaskCompletionSource? _creditReturned;
    private long _bytes;
    private int _unacknowledged;
    private long _answered;
    private bool _hasFailed;
    private bool _isStuck;
    private bool _hasRefused;
    private ConcurrentDictionary<ushort, bool>? _refused;

    /// <summary>How many answers are taken off the queue, whether written or none.</summary>
    public long Answered => Volatile.Read(ref _answered);

    /// <summary>Whether a message was not stored: nothing after it is answered.</summary>
    public bool HasFailed => Volatile.Read(ref _hasFailed);

    /// <summary>Whether the client can be told that a message is refused.</summary>
    public bool CanRefuse => connection.Version == ProtocolVersion.Mqtt5;

    /// <summary>Forgets that a QoS 2 message was refused; false when the last one of that packet identifier was not.</summary>
    public bool TryForgetRefused(ushort packetId) => Volatile.Read(ref _refused)?.TryRemove(packetId, out _) ?? false;

    /// <summary>Counts a publish on its receipt; false when the client has more outstanding than the server's Receive Maximum.</summary>
    public bool TryCountReceived(int receiveMaximum) => Interlocked.Increment(ref _unacknowledged) <= receiveMaximum;

    /// <summary>A message is acknowledged for good: the client may send one more.</summary>
    public void FreeRoom() => Interlocked.Decrement(ref _unacknowledged);

    /// <summary>Whether the run must wait until what went the other way is settled, so that the order of the log is that of receipt.</summary>
    public bool MustWait(InboundRun run) => _unsettled.Any(GetOtherPath(run));

    /// <summary>Waits for that. Call when nothing else is handed over meanwhile.</summary>
    public Task WaitForOtherPathAsync(InboundRun run) => _unsettled.WaitAsync(GetOtherPath(run));

    /// <summary>Takes the credit of a run, waiting for it if need be; false when the connection is closing.</summary>
    public ValueTask<bool> TakeCreditAsync(InboundRun run, CancellationToken closing)
    {
        var outstanding = Volatile.Read(ref _bytes);
        return outstanding > 0 && outstanding + run.Bytes > context.Options.ConnectionPublishBytes
            ? WaitAndTakeAsync(run, closing)
            : TakeTotalAsync(run, closing);
    }

    /// <summary>Puts a run into the queue, before it is handed to the log.</summary>
    public void Add(InboundRun run)
    {
        run.Seal();
        _unsettled.Add(run.Path);
        lock (_runs)
        {
            _runs.Enqueue(run);
        }
    }

    /// <summary>A packet of the run has its outcome. From any thread.</summary>
    public void OnSettled(InboundRun run, EntryOutcome outcome, bool isLastOfRun)
    {
        if (outcome == EntryOutcome.Failed)
        {
            Volatile.Write(ref _hasFailed, true);
        }
        else if (outcome == EntryOutcome.Unanswered)
        {
            connection.Close(CloseReason.TakenOver);
        }

        else if (outcome == EntryOutcome.Refused && !Interlocked.Exchange(ref _hasRefused, true))
        {
            context.Logger.PublishRefused(connection.ClientId, run.Error ?? "");
        }

        if (isLastOfRun)
        {
            context.Credits.Release(run.Bytes);
            if (run.GetLatency() is { } latency)
            {
                context.Metrics.PublishLatency(latency);
            }
        }

        connection.Output.Schedule();
        if (isLastOfRun)
        {
            _unsettled.Remove(run.Path);
        }
    }

    /// <summary>Completes when nothing is under way on these paths. Call when nothing more is handed over.</summary>
    public Task WaitUntilSettledAsync(RunPaths paths = RunPaths.All) => _unsettled.WaitAsync(paths);

    /// <summary>
    /// Writes the answers that are due. Called by one thread at a time. Returns why a publish was not stored: nothing after it is acknowledged.
    /// </summary>
    public string? WriteAnswers(ref OutputBuffer output)
    {
        var answered = 0;
        var freed = 0;
        long bytes = 0;
        string? error = null;
        while (!_isStuck && TryPeek(out var run))
        {
            while (run.TryTakeAnswer(out var answer))
            {
                if (!answer.IsStored)
                {
                    error = run.Error ?? "not stored";
                    _isStuck = true;
                    break;
                }

                answered++;
                freed += answer.FreesRoom ? 1 : 0;
                if (answer.Packet != PacketType.Reserved)
                {
                    if (answer.Packet == PacketType.PubRec && answer.ReasonCode == (byte)ReasonCode.QuotaExceeded)
                    {
                        LazyInitializer.EnsureInitialized(ref _refused)[answer.PacketId] = true;
                    }

                    var reasonCode = connection.Version == ProtocolVersion.Mqtt5 ? answer.ReasonCode : (byte)0;
                    output.WriteAcknowledgement(answer.Packet, answer.PacketId, reasonCode, connection.GetReasonString(reasonCode));
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

        // Before the flush: the client may use the room as soon as it has the answer.
        if (answered > 0)
        {
            Volatile.Write(ref _answered, _answered + answered);
        }

        if (freed > 0)
        {
            Interlocked.Add(ref _unacknowledged, -freed);
        }

        if (bytes > 0)
        {
            ReturnCredit(bytes);
        }

        return error;
    }

    private static RunPaths GetOtherPath(InboundRun run)
    {
        const RunPaths Messages = RunPaths.Log | RunPaths.Session | RunPaths.Retained;
        return run.Path is RunPaths.None or RunPaths.Releases ? RunPaths.None : Messages & ~run.Path;
    }

    private bool TryPeek(out InboundRun run)
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

    private async ValueTask<bool> WaitAndTakeAsync(InboundRun run, CancellationToken closing)
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

    private ValueTask<bool> TakeTotalAsync(InboundRun run, CancellationToken closing)
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

    private async ValueTask<bool> AwaitTotalAsync(ValueTask<bool> taken, InboundRun run)
    {
        if (!await taken)
        {
            return false;
        }

        Interlocked.Add(ref _bytes, run.Bytes);
        return true;
    }
}
