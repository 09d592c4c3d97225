using System.Buffers;
using System.IO.Pipelines;

namespace OrleansMqtt.Edge.Transport;

/// <summary>
/// What a connection sends. A flush sends at once, on the thread that flushes; only what the socket does not take waits, for the loop's thread, and the flush with it.
/// </summary>
internal sealed class EpollWriter(EpollConnection connection) : PipeWriter
{
    private const int FirstLength = 4 * 1024;
    private const int NextLength = 64 * 1024;

    private readonly Lock _gate = new();

    // Of the thread that writes.
    private byte[] _buffer = [];
    private int _used;
    private List<ArraySegment<byte>>? _full;
    private bool _isCompleted;

    // Under the gate.
    private Queue<ArraySegment<byte>>? _waiting;
    private int _waitingSent;
    private TaskCompletionSource<FlushResult>? _flush;
    private bool _closesWhenSent;
    private bool _isCanceled;
    private bool _isClosed;
    private volatile bool _hasWaiting;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _used + (_full?.Sum(static segment => (long)segment.Count) ?? 0);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_used);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_used);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(_buffer.Length - _used), nameof(bytes));
        _used += bytes;
    }

    /// <summary>Sends what is written. Completes when the socket has taken it; completed when the connection has ended.</summary>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        TaskCompletionSource<FlushResult> flush;
        lock (_gate)
        {
            SendWritten();
            if (_isCanceled || _isClosed || !_hasWaiting)
            {
                FlushResult result = new(_isCanceled, _isClosed);
                _isCanceled = false;
                return new(result);
            }

            flush = _flush ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return new(cancellationToken.CanBeCanceled ? flush.Task.WaitAsync(cancellationToken) : flush.Task);
    }

    public override void CancelPendingFlush()
    {
        TaskCompletionSource<FlushResult>? flush;
        lock (_gate)
        {
            (flush, _flush) = (_flush, null);
            _isCanceled = flush is null;
        }

        flush?.TrySetResult(new(isCanceled: true, isCompleted: false));
    }

    /// <summary>Sends what is written and not flushed, and closes the connection after it; with an exception, at once.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        if (exception is not null)
        {
            DropWritten();
            connection.Abort(new(exception.Message, exception));
            return;
        }

        bool closes;
        lock (_gate)
        {
            SendWritten();
            closes = !_isClosed && !_hasWaiting;
            _closesWhenSent = true;
        }

        if (closes)
        {
            connection.Close();
        }
    }

    /// <summary>The socket has room, or has ended. By the loop's thread.</summary>
    public void OnWritable()
    {
        // Seen to be set by whoever is told of an edge that came after it: see SendWritten.
        if (!_hasWaiting)
        {
            return;
        }

        TaskCompletionSource<FlushResult>? flush = null;
        bool closes, isClosed;
        lock (_gate)
        {
            SendWaiting();
            isClosed = _isClosed;
            closes = !_hasWaiting && !isClosed && _closesWhenSent;
            if (!_hasWaiting)
            {
                (flush, _flush) = (_flush, null);
            }
        }

        flush?.TrySetResult(new(isCanceled: false, isCompleted: isClosed));
        if (closes)
        {
            connection.Close();
        }
    }

    /// <summary>Sends nothing more. By the loop's thread, before the socket is closed.</summary>
    public void Close()
    {
        TaskCompletionSource<FlushResult>? flush;
        lock (_gate)
        {
            End();
            (flush, _flush) = (_flush, null);
        }

        flush?.TrySetResult(new(isCanceled: false, isCompleted: true));
    }

    private void Reserve(int sizeHint)
    {
        if (_isCompleted)
        {
            throw new InvalidOperationException("The writer is completed.");
        }

        if (_buffer.Length - _used >= Math.Max(1, sizeHint))
        {
            return;
        }

        var isFirst = _used == 0 && _full is not { Count: > 0 };
        if (_used > 0)
        {
            (_full ??= []).Add(new(_buffer, 0, _used));
        }
        else
        {
            Return(_buffer);
        }

        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, isFirst ? FirstLength : NextLength));
        _used = 0;
    }

    private void SendWritten()
    {
        if (_isClosed)
        {
            DropWritten();
            return;
        }

        var sent = 0;
        if (!_hasWaiting && _full is not { Count: > 0 })
        {
            sent = Send(_buffer.AsSpan(0, _used), hasMore: false);
            if (sent == _used || _isClosed)
            {
                DropWritten();
                return;
            }
        }

        var waiting = _waiting ??= new();
        if (!_hasWaiting)
        {
            _waitingSent = sent;
        }

        foreach (var segment in _full ?? [])
        {
            waiting.Enqueue(segment);
        }

        _full?.Clear();
        if (_used > 0)
        {
            waiting.Enqueue(new(_buffer, 0, _used));
            (_buffer, _used) = ([], 0);
        }

        if (!_hasWaiting && waiting.Count > 0)
        {
            // The edge may come before this is seen, so it is tried again afterwards: a send that finds no room then has an edge to come.
            _hasWaiting = true;
            Interlocked.MemoryBarrier();
            SendWaiting();
        }
    }

    private void SendWaiting()
    {
        // Who flushes may have sent it all by the time the loop gets here.
        while (_waiting is { } waiting && waiting.TryPeek(out var segment))
        {
            _waitingSent += Send(segment.AsSpan(_waitingSent), hasMore: waiting.Count > 1);
            if (_isClosed || _waitingSent < segment.Count)
            {
                return;
            }

            waiting.Dequeue();
            _waitingSent = 0;
            Return(segment.Array!);
        }

        _waiting = null;
        _hasWaiting = false;
    }

    /// <summary>Sends as much as the socket takes; returns how much.</summary>
    private unsafe int Send(ReadOnlySpan<byte> bytes, bool hasMore)
    {
        var sent = 0;
        fixed (byte* start = bytes)
        {
            while (sent < bytes.Length)
            {
                var result = (int)Libc.Send(connection.Descriptor, start + sent, bytes.Length - sent, Libc.DoNotWait | Libc.NoSignal | (hasMore ? Libc.More : 0));
                if (result >= 0)
                {
                    sent += result;
                    continue;
                }

                var error = Libc.LastError;
                if (error == Libc.Interrupted)
                {
                    continue;
                }

                if (error != Libc.TryAgain)
                {
                    End();
                    connection.OnSendFailed(error);
                }

                break;
            }
        }

        return sent;
    }

    private void End()
    {
        _isClosed = true;
        _waiting = null;
        _hasWaiting = false;
    }

    private void DropWritten()
    {
        Return(_buffer);
        (_buffer, _used) = ([], 0);
        _full?.Clear();
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
