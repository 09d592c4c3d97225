namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Bytes that all connections together may have on their way to the log. Whoever finds no room waits in line; nobody overtakes. What is larger than the limit goes alone.
/// </summary>
/// <param name="total">The most that the limit may be.</param>
internal sealed class PublishCredits(long total)
{
    private readonly Lock _gate = new();
    private readonly Queue<Waiter> _waiters = [];
    private readonly long _total = total;
    private long _limit = total;
    private long _outstanding;
    private long _peak;
    private int _waiting;

    /// <summary>What is taken and not released.</summary>
    public long Outstanding => Volatile.Read(ref _outstanding);

    /// <summary>What may be outstanding at the moment.</summary>
    public long Limit => Volatile.Read(ref _limit);

    /// <summary>Sets the limit, to the total at most.</summary>
    public void SetLimit(long bytes)
    {
        var old = Interlocked.Exchange(ref _limit, Math.Min(bytes, _total));
        if (bytes > old && Volatile.Read(ref _waiting) > 0)
        {
            WakeWaiters();
        }
    }

    /// <summary>The most that was outstanding since the last call.</summary>
    public long TakePeak() => Interlocked.Exchange(ref _peak, Outstanding);

    /// <summary>Takes <paramref name="bytes"/>, at once or when there is room; false when cancelled before.</summary>
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
        Interlocked.Add(ref _outstanding, -bytes);
        if (Volatile.Read(ref _waiting) > 0)
        {
            WakeWaiters();
        }
    }

    private bool TryTake(int bytes)
    {
        var outstanding = Outstanding;
        while (outstanding == 0 || outstanding + bytes <= Limit)
        {
            var seen = Interlocked.CompareExchange(ref _outstanding, outstanding + bytes, outstanding);
            if (seen == outstanding)
            {
                // A peak that is lost to another thread's is a near one.
                if (outstanding + bytes > Volatile.Read(ref _peak))
                {
                    Volatile.Write(ref _peak, outstanding + bytes);
                }

                return true;
            }

            outstanding = seen;
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
                    Interlocked.Add(ref _outstanding, -waiter.Bytes);
                }
            }
        }
    }

    private sealed class Waiter(int bytes) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Bytes => bytes;
    }
}
