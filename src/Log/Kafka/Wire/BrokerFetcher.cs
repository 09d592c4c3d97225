using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// Asks one broker for the partitions that it leads, on a thread of its own. The broker holds a request back until there is something to read; when other partitions are to be read
/// meanwhile, the connection is given up for a new one, because a request cannot be taken back.
/// </summary>
internal sealed class BrokerFetcher : BrokerWorker
{
    private const int MaximumBytes = 8 << 20;
    private const int MaximumPartitionBytes = 1 << 20;
    private const int LargeAnswer = 64 * 1024;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RestingWait = TimeSpan.FromMilliseconds(20);
    private readonly WireFollower _follower;
    private readonly RecordBatchReader _batches = new();
    private readonly List<FollowedPartition> _taken = [];
    private readonly List<StoredRecord> _records = [];
    private bool _isWoken;
    private bool _isWaiting;
    private int _turn;

    public BrokerFetcher(WireFollower follower, int broker)
        : base(broker, follower.Settings, follower.Metadata, follower.Logger, $"Kafka reads from {broker}")
    {
        _follower = follower;
        Start();
    }

    /// <summary>Tells that there are other partitions to fetch than before.</summary>
    public void Wake()
    {
        lock (Gate)
        {
            _isWoken = true;
            if (_isWaiting)
            {
                Connection?.Dispose();
            }

            Monitor.Pulse(Gate);
        }
    }

    protected override void Run()
    {
        while (!IsStopping)
        {
            lock (Gate)
            {
                _isWoken = false;
            }

            var isResting = _follower.Take(Broker, _taken);
            if (_taken.Count == 0)
            {
                WaitUntilWoken(isResting ? RestingWait : Timeout.InfiniteTimeSpan);
                continue;
            }

            try
            {
                Fetch(isResting ? RestingWait : LongestWait);
                OnSuccess();
            }
            catch (Exception exception)
            {
                OnFailure(exception);
            }
            finally
            {
                _follower.Release(Broker, _taken);
            }
        }
    }

    private void WaitUntilWoken(TimeSpan limit)
    {
        lock (Gate)
        {
            if (!_isWoken && !IsStopping)
            {
                Monitor.Wait(Gate, limit);
            }
        }
    }

    private void Fetch(TimeSpan wait)
    {
        EnsureConnected();
        var connection = Connection!;
        WriteRequest(connection.Start(WireApi.Fetch), wait);
        _follower.Metrics.CountFetchRequest();
        connection.Send();
        if (!WaitForAnswer(connection))
        {
            Close();
            return;
        }

        var bytes = ReadAnswer(connection.Receive());

        // Under load the next request takes more at once, if it comes a little later.
        if (bytes is > 0 and < LargeAnswer && Settings.Linger > TimeSpan.Zero)
        {
            Thread.Sleep(Settings.Linger);
        }
    }

    private void WriteRequest(WireWriter writer, TimeSpan wait)
    {
        Arrange();
        FetchProtocol.WriteHead(writer, wait, MaximumBytes, _taken.Count);
        foreach (var partition in _taken)
        {
            FetchProtocol.WritePartition(writer, partition.TopicBytes, partition.Id.Partition, partition.Position, MaximumPartitionBytes);
        }

        FetchProtocol.WriteTail(writer);
    }

    /// <summary>The broker fills an answer from the front: each partition is there in turn.</summary>
    private void Arrange()
    {
        var first = _turn++ % _taken.Count;
        _taken.Reverse(0, first);
        _taken.Reverse(first, _taken.Count - first);
        _taken.Reverse();
    }

    /// <returns>False when the request was given up, because there is more to ask for.</returns>
    private bool WaitForAnswer(WireConnection connection)
    {
        lock (Gate)
        {
            if (_isWoken)
            {
                return connection.Poll(TimeSpan.Zero);
            }

            _isWaiting = true;
        }

        var isThere = false;
        try
        {
            isThere = connection.Poll(Settings.RequestTimeout);
        }
        catch (Exception exception) when (WireConnection.IsFailure(exception))
        {
            // Given up, or broken: that is found out by who uses it next.
        }

        lock (Gate)
        {
            _isWaiting = false;
            if (!isThere && !_isWoken)
            {
                throw new WireException($"{connection.Address} does not answer.");
            }

            return isThere && !connection.IsClosed;
        }
    }

    private int ReadAnswer(WireReader reader)
    {
        FetchProtocol.ReadHead(ref reader);
        var bytes = 0;
        for (var topics = reader.ReadCount(); topics > 0; topics--)
        {
            var topic = reader.ReadUtf8();
            for (var partitions = reader.ReadCount(); partitions > 0; partitions--)
            {
                var partition = FindTaken(topic, reader.ReadInt32());
                var error = FetchProtocol.ReadPartition(ref reader, _batches.Aborted, out _);
                var records = reader.ReadBytes();
                bytes += records.Length;
                if (partition is not null)
                {
                    OnRead(partition, error, records);
                }
            }
        }

        return bytes;
    }

    private FollowedPartition? FindTaken(ReadOnlySpan<byte> topic, int number)
    {
        foreach (var partition in _taken)
        {
            if (partition.Id.Partition == number && topic.SequenceEqual(partition.TopicBytes))
            {
                return partition;
            }
        }

        return null;
    }

    private void OnRead(FollowedPartition partition, short error, ReadOnlySpan<byte> batches)
    {
        if (error == WireError.None)
        {
            Read(partition, batches);
        }
        else if (error == WireError.OffsetOutOfRange)
        {
            _follower.SetOutOfRange(partition);
        }
        else
        {
            _follower.Metrics.CountError(WireError.NameOf(error));
            if (!WireError.IsRetriable(error))
            {
                _follower.Logger.LogReadFailed($"{partition.Id}: {WireError.NameOf(error)}");
            }

            _follower.Park([partition]);
        }
    }

    private void Read(FollowedPartition partition, ReadOnlySpan<byte> batches)
    {
        var position = partition.Position;
        var isRead = false;
        try
        {
            isRead = _batches.Read(batches, ref position, _records);
        }
        catch (Exception exception) when (exception is ArgumentException or IndexOutOfRangeException or OverflowException or WireException)
        {
            // Whoever is right about these bytes: the other client reads on.
            _follower.Logger.LogWireFault(exception, partition.Id.ToString());
            _records.RemoveAll(record => record.Offset >= position);
        }

        if (position > partition.Position)
        {
            partition.Position = position;
            partition.Feed.Add(_records, position);
            _follower.Metrics.CountRead(partition.Id.Topic, _records.Count);
        }

        _records.Clear();
        if (!isRead)
        {
            _follower.Logger.LogHandedOver(partition.Id.ToString());
            _follower.HandOver(partition);
        }
    }

    private void OnFailure(Exception exception)
    {
        if (TryFail(exception))
        {
            _follower.Park(_taken);
            BackOff();
        }
    }
}
