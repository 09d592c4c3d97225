using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>
/// Sends the acknowledgements of this edge's clients to one session partition, one call at a time: while one is under way the next batch builds itself. What fails is sent
/// again: to acknowledge twice does no harm.
/// </summary>
internal sealed class AcknowledgementSender(IEdgeGrains grains, int partition, TimeProvider time, PublishPace pace, ILogger logger)
{
    /// <summary>The most acknowledgements of a call.</summary>
    public const int MaximumBatch = 1000;

    private readonly ISessionPartitionGrain _grain = grains.GetSessionPartition(partition);
    private readonly Lock _gate = new();
    private List<Acknowledgement> _waiting = [];
    private TaskCompletionSource? _sent;
    private bool _isSending;
    private long _generation;
    private readonly BatchGathering _gathering = new();

    /// <summary>Adds an acknowledgement for the owner of that generation; it is dropped when there is a later one, which has got it with its connection.</summary>
    /// <param name="acknowledgement">The acknowledgement.</param>
    /// <param name="generation">The generation.</param>
    /// <param name="isAwaited">Whether the client gets nothing more before it arrives: nothing waits for others then.</param>
    public void Add(in Acknowledgement acknowledgement, long generation, bool isAwaited)
    {
        lock (_gate)
        {
            if (generation < _generation)
            {
                return;
            }

            _generation = generation;
            _waiting.Add(acknowledgement);
            if (isAwaited)
            {
                _gathering.NoteAwaited();
            }

            if (_isSending)
            {
                return;
            }

            _isSending = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static sender => _ = sender.SendAllAsync(), this, preferLocal: false);
    }

    /// <summary>A new owner gets what waits with the connections: it is not sent.</summary>
    public void BeginGeneration(long generation)
    {
        lock (_gate)
        {
            if (generation > _generation)
            {
                _generation = generation;
                _waiting.Clear();
            }
        }
    }

    /// <summary>Completes when what was added before has arrived.</summary>
    public Task WaitUntilSentAsync()
    {
        lock (_gate)
        {
            return _isSending ? (_sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
        }
    }

    private async Task SendAllAsync()
    {
        while (true)
        {
            List<Acknowledgement> sending;
            TaskCompletionSource? sent;
            long generation;
            lock (_gate)
            {
                _gathering.Begin();
                sent = _sent;
                generation = _generation;
                _sent = null;
                if (_waiting.Count == 0)
                {
                    _isSending = false;
                    sent?.SetResult();
                    return;
                }

                // A new list each time: a batch that was handed over must not change.
                sending = _waiting;
                _waiting = [];
            }

            for (var start = 0; start < sending.Count; start += MaximumBatch)
            {
                var items = CollectionsMarshal.AsSpan(sending).Slice(start, Math.Min(MaximumBatch, sending.Count - start)).ToArray();
                await SendAsync(new AcknowledgementBatch { Generation = generation, Items = items });
            }

            sent?.SetResult();
            await _gathering.PauseAsync(sending.Count);
        }
    }

    private async Task SendAsync(AcknowledgementBatch batch)
    {
        for (var pause = RetryPause.Shortest; batch.Generation >= Volatile.Read(ref _generation); pause = RetryPause.After(pause))
        {
            try
            {
                var start = Stopwatch.GetTimestamp();
                await _grain.Acknowledge(batch);
                pace.Note(Stopwatch.GetElapsedTime(start));
                return;
            }
            catch (Exception exception)
            {
                logger.AcknowledgeFailed(partition, exception.Message);
            }

            await Task.Delay(pause, time);
        }
    }
}
