using System.Collections.Concurrent;

namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// Has the connections write what is due to them, one after the other by as few threads as can keep up: a message for many clients wakes one thread, not one for each client.
/// </summary>
internal sealed class OutputWriters : IThreadPoolWorkItem
{
    /// <summary>From so many that wait for each thread on, there is one more.</summary>
    private const int WaitingPerThread = 256;

    /// <summary>Others of the thread pool have their turn after so many.</summary>
    private const int RunLength = 64;

    private static readonly int MaximumThreads = Math.Max(2, Environment.ProcessorCount);

    private readonly ConcurrentQueue<ConnectionOutput> _due = new();
    private int _threads;

    /// <summary>Has <see cref="ConnectionOutput.Run"/> called soon.</summary>
    public void Add(ConnectionOutput output)
    {
        _due.Enqueue(output);
        Interlocked.MemoryBarrier();
        if (TryStart())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        do
        {
            for (var i = 0; _due.TryDequeue(out var output);)
            {
                output.Run();
                if (++i == RunLength)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }
            }

            Interlocked.Decrement(ref _threads);
        }
        while (!_due.IsEmpty && TryStart());
    }

    private bool TryStart()
    {
        var threads = Volatile.Read(ref _threads);
        return (threads == 0 || (threads < MaximumThreads && _due.Count > threads * WaitingPerThread))
            && Interlocked.CompareExchange(ref _threads, threads + 1, threads) == threads;
    }
}
