using System.Collections.Concurrent;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Redirecting;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>The connections of this edge by their numbers, which are never used twice. A connection stays until none of its publishes is on its way to the log.</summary>
internal sealed class ConnectionTable(int maximum, LoadShedding shedding) : IDisposable
{
    private readonly ConcurrentDictionary<long, MqttConnection> _connections = new();
    private readonly CancellationTokenSource _closed = new();
    private long _lastId;
    private int _count;

    /// <summary>How many there are, with those that have not sent CONNECT.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>All connections.</summary>
    public IEnumerable<MqttConnection> All => _connections.Select(static pair => pair.Value);

    /// <summary>Whether new connections are refused, because the edge is stopping.</summary>
    public bool IsClosed => _closed.IsCancellationRequested;

    /// <summary>Ends what waits for the first byte of a connection when the edge is stopping.</summary>
    public CancellationToken WhenClosed => _closed.Token;

    public long NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>Counts a connection before anything of it is read; false when it is one too many.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= maximum && !IsClosed)
        {
            shedding.Note(ref _count);
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>The end of what <see cref="TryEnter"/> began.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _count);
        shedding.Note(ref _count);
    }

    public void Add(MqttConnection connection) => _connections[connection.Id] = connection;

    public MqttConnection? Find(long id) => _connections.GetValueOrDefault(id);

    public void Remove(MqttConnection connection) => _connections.TryRemove(connection.Id, out _);

    /// <summary>Refuses new connections from now on.</summary>
    public void Close() => _closed.Cancel();

    public void Dispose() => _closed.Dispose();
}
