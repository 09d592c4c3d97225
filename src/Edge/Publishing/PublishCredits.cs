namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Bytes that all connections together may have on their way to the log. Whoever finds none left waits in line; nobody overtakes.
/// </summary>
internal sealed class PublishCredits(long total)
{
    private readonly Lock _gate = new();
    private readonly Queue<Waiter> _waiters = [];
    private long _available = total;
    private int _waiting;

    /// <summary>What is left.</summary>
    public long Available => Volatile.Read(ref _available);

    /// <summary>Takes <paramref name="bytes"/>, at once or when they are there; false when cancelled before.</summary>
    public ValueTask<bool> TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _waiting) == 0 && TryTake(bytes))
        {
            return new(true);
        }

        return WaitAsync(bytes, cancellationToken);
    }

    public void Release(long bytes)
    {
        // The order of the add and the read is the reverse of that in WaitAsync: one of the two sees the other.
        Interlocked.Add(ref _available, bytes);
        if (Volatile.Read(ref _waiting) > 0)
        {
            WakeWaiters();
        }
    }

    private bool TryTake(int bytes)
    {
        var available = Volatile.Read(ref _available);
        while (available >= bytes)
        {
            var seen = Interlocked.CompareExchange(ref _available, available - bytes, available);
            if (seen == available)
            {
                return true;
            }

            available = seen;
        }

        return false;
    }

    private async ValueTask<bool> WaitAsync(int bytes, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(bytes);
        lock (_gate)
        {
            _waiters.Enqueue(waiter);
            Interlocked.Increment(ref _waiting);
        }

        WakeWaiters();
        await using var registration = cancellationToken.UnsafeRegister(static (state, _) => ((Waiter)state!).TrySetResult(false), waiter).ConfigureAwait(false);
        var isTaken = await waiter.Task;
        if (!isTaken)
        {
            WakeWaiters();
        }

        return isTaken;
    }

    private void WakeWaiters()
    {
        lock (_gate)
        {
            while (_waiters.TryPeek(out var waiter))
            {
                var isCancelled = waiter.Task.IsCompleted;
                if (!isCancelled && !TryTake(waiter.Bytes))
                {
                    return;
                }

                _waiters.Dequeue();
                Interlocked.Decrement(ref _waiting);
                if (!isCancelled && !waiter.TrySetResult(true))
                {
                    Interlocked.Add(ref _available, waiter.Bytes);
                }
            }
        }
    }

    private sealed class Waiter(int bytes) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Bytes => bytes;
    }
}
