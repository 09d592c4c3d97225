using System.Buffers;
using System.ComponentModel;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace OrleansMqtt.Edge.Transport;

/// <summary>
/// One connection. The loop's thread alone receives and closes; whoever flushes sends (<see cref="EpollWriter"/>). While its reader is behind, nothing is received; while it is
/// idle, it holds no buffer.
/// </summary>
internal sealed class EpollConnection
    : ConnectionContext, IConnectionIdFeature, IConnectionItemsFeature, IConnectionTransportFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature,
        IConnectionSocketFeature, IMemoryPoolFeature, IInlineReading, IDuplexPipe
{
    /// <summary>Bytes that may wait for the reader, as with Kestrel's own transport.</summary>
    private const int MaximumUnread = 1024 * 1024;

    /// <summary>Receives in a row before others have their turn.</summary>
    private const int MaximumReceives = 4;

    private const int ResumeRequest = 1;
    private const int CloseRequest = 2;

    private static long _lastId;

    private readonly EpollLoop _loop;
    private readonly EpollWriter _writer;
    private readonly Pipe _received;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _id;
    private IDictionary<object, object?>? _items;
    private IDuplexPipe _transport;
    private CancellationTokenSource? _closedSource;
    private CancellationToken? _closed;
    private ConnectionAbortedException? _abortReason;
    private Exception? _sendError;
    private int _requests;
    private bool _isPaused;
    private bool _isReaderCompleted;
    private bool _mustDrain;
    private bool _isReceivingEnded;
    private bool _isClosed;

    public EpollConnection(Socket socket, EpollLoop loop)
    {
        Socket = socket;
        Descriptor = (int)socket.Handle;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        _loop = loop;
        _writer = new EpollWriter(this);
        _received = new Pipe(new PipeOptions(
            readerScheduler: new ReaderScheduler(this), writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: MaximumUnread, resumeWriterThreshold: MaximumUnread / 2,
            useSynchronizationContext: false));
        _transport = this;
        Features = new FeatureCollection(7);
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
    }

    public int Descriptor { get; }

    /// <summary>What the loop knows it by.</summary>
    public long Key { get; set; }

    public Socket Socket { get; }

    public bool ReadsInline { get; set; }

    public override IFeatureCollection Features { get; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public MemoryPool<byte> MemoryPool => MemoryPool<byte>.Shared;

    public override string ConnectionId
    {
        get => _id ??= $"{Interlocked.Increment(ref _lastId):X}";
        set => _id = value;
    }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport
    {
        get => _transport;
        set => _transport = value;
    }

    /// <summary>Cancelled when nothing is received any more.</summary>
    public override CancellationToken ConnectionClosed
    {
        get
        {
            if (_closed is { } closed)
            {
                return closed;
            }

            var source = Volatile.Read(ref _closedSource);
            if (source is null)
            {
                source = new CancellationTokenSource();
                source = Interlocked.CompareExchange(ref _closedSource, source, null) ?? source;
                if (Volatile.Read(ref _isReceivingEnded))
                {
                    source.Cancel();
                }
            }

            return source.Token;
        }

        set => _closed = value;
    }

    PipeReader IDuplexPipe.Input => _received.Reader;

    PipeWriter IDuplexPipe.Output => _writer;

    public override void Abort() => Abort(new ConnectionAbortedException("The connection was aborted by the application."));

    /// <summary>Resets the connection; only the first reason counts. By any thread.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        Interlocked.CompareExchange(ref _abortReason, abortReason, null);
        Request(CloseRequest);
    }

    /// <summary>Closes the connection, all that was written having been sent. By any thread.</summary>
    public void Close() => Request(CloseRequest);

    /// <summary>A send has failed: the connection is lost. By any thread.</summary>
    public void OnSendFailed(int error)
    {
        Interlocked.CompareExchange(ref _sendError, ToException(error), null);
        Request(CloseRequest);
    }

    /// <summary>Ends both directions, and completes when the socket is closed.</summary>
    public override async ValueTask DisposeAsync()
    {
        await _received.Reader.CompleteAsync();
        await _writer.CompleteAsync();
        await _ended.Task;
        _closedSource?.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>The socket is ready for something. By the loop's thread.</summary>
    public void OnEvents(uint events)
    {
        if ((events & (Epoll.Writable | Epoll.Error | Epoll.HangUp)) != 0)
        {
            _writer.OnWritable();
        }

        if ((events & ~Epoll.Writable) != 0)
        {
            // A short read says that there is no more, unless the end, an error or an urgent byte comes behind it.
            _mustDrain |= (events & ~(Epoll.Readable | Epoll.Writable)) != 0;
            Receive();
        }
    }

    /// <summary>Does what was requested. By the loop's thread.</summary>
    public void OnPosted()
    {
        var requests = Interlocked.Exchange(ref _requests, 0);
        if ((requests & ResumeRequest) != 0)
        {
            Resume();
        }

        if ((requests & CloseRequest) != 0)
        {
            CloseNow();
        }
    }

    private void Request(int request)
    {
        if (Interlocked.Or(ref _requests, request) == 0)
        {
            _loop.Post(this);
        }
    }

    private unsafe void Receive()
    {
        var buffer = _loop.Buffer;
        for (var i = 0; i < MaximumReceives; i++)
        {
            if (_isPaused || _isReceivingEnded)
            {
                return;
            }

            int received;
            fixed (byte* start = buffer)
            {
                received = (int)Libc.Receive(Descriptor, start, buffer.Length, Libc.DoNotWait);
            }

            if (received <= 0)
            {
                switch (received == 0 ? 0 : Libc.LastError)
                {
                    case Libc.TryAgain:
                        _mustDrain = false;
                        return;
                    case Libc.Interrupted:
                        continue;
                    case 0:
                        EndReceiving(null);
                        return;
                    case var error:
                        EndReceiving(ToException(error));
                        return;
                }
            }

            buffer.AsSpan(0, received).CopyTo(_received.Writer.GetSpan(received));
            _received.Writer.Advance(received);
            var flush = _received.Writer.FlushAsync();
            if (!flush.IsCompletedSuccessfully)
            {
                _isPaused = true;
                _ = ResumeAfterAsync(flush);
                return;
            }

            if (flush.Result.IsCompleted)
            {
                EndReceiving(null);
                return;
            }

            if (received < buffer.Length && !_mustDrain)
            {
                return;
            }
        }

        _mustDrain = true;
        _loop.Continue(this);
    }

    private async Task ResumeAfterAsync(ValueTask<FlushResult> flush)
    {
        _isReaderCompleted = (await flush.ConfigureAwait(false)).IsCompleted;
        Request(ResumeRequest);
    }

    /// <summary>The reader has caught up.</summary>
    private void Resume()
    {
        _isPaused = false;
        if (_isReaderCompleted)
        {
            EndReceiving(null);
        }

        // Its edge may have passed meanwhile.
        _mustDrain = true;
        Receive();
    }

    private void EndReceiving(Exception? error)
    {
        if (_isReceivingEnded)
        {
            return;
        }

        Volatile.Write(ref _isReceivingEnded, true);
        Interlocked.MemoryBarrier();
        _received.Writer.Complete(error);
        if (Volatile.Read(ref _closedSource) is { } source)
        {
            ThreadPool.UnsafeQueueUserWorkItem(Cancel, source, preferLocal: false);
        }

        static void Cancel(CancellationTokenSource source)
        {
            try
            {
                source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It is over for everybody.
            }
        }
    }

    private void CloseNow()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        // Nobody sends any more: from here on another socket may get the number.
        _writer.Close();
        _loop.Remove(this);
        Exception? error = Volatile.Read(ref _abortReason);
        error ??= Volatile.Read(ref _sendError);
        if (error is null)
        {
            try
            {
                Socket.Shutdown(SocketShutdown.Both);
            }
            catch (SocketException)
            {
                // The peer was faster.
            }

            Socket.Dispose();
        }
        else
        {
            Socket.Close(timeout: 0);
        }

        EndReceiving(error ?? new ConnectionAbortedException("The connection was closed: its output is completed."));
        _ended.TrySetResult();
    }

    private static Exception ToException(int error)
    {
        const int BrokenPipe = 32;
        const int ConnectionReset = 104;
        Win32Exception inner = new(error);
        return error is ConnectionReset or BrokenPipe ? new ConnectionResetException(inner.Message, inner) : new IOException(inner.Message, inner);
    }

    /// <summary>Where who reads goes on.</summary>
    private sealed class ReaderScheduler(EpollConnection connection) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state)
        {
            if (connection.ReadsInline && connection._loop.IsCurrentThread)
            {
                action(state);
            }
            else
            {
                System.Threading.ThreadPool.UnsafeQueueUserWorkItem(action, state, preferLocal: false);
            }
        }
    }
}
