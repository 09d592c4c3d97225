using System.Diagnostics;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// Sends the batches of the partitions that one broker leads, on a thread of its own: one request at a time, with a batch of each partition that has something. Kafka's cost is per
/// request, so under load a request waits out the linger since the last answer; the first one after a pause goes at once.
/// </summary>
internal sealed class BrokerSender : BrokerWorker
{
    private const int MaximumRequest = 8 << 20;
    private const short AllInSyncReplicas = -1;
    private static readonly TimeSpan ShortestSleep = TimeSpan.FromMilliseconds(0.1);
    private readonly WireAppender _appender;
    private readonly List<AppendQueue> _ready = [];
    private readonly List<AppendQueue> _taken = [];
    private readonly List<(AppendQueue Queue, AppendBatch Batch)> _onTheWay = [];
    private long _producerId = -1;
    private long _answeredAt;

    public BrokerSender(WireAppender appender, int broker)
        : base(broker, appender.Settings, appender.Metadata, appender.Logger, $"Kafka appends to {broker}")
    {
        _appender = appender;
        Start();
    }

    public void Enqueue(AppendQueue queue)
    {
        lock (Gate)
        {
            _ready.Add(queue);
            Monitor.Pulse(Gate);
        }
    }

    /// <summary>Gives up the queues whose leader is another broker now. What is on its way to a broker that leads no more is not waited for: it may be frozen.</summary>
    public void TakeMisplaced(ClusterSnapshot current, List<AppendQueue> target)
    {
        lock (Gate)
        {
            for (var i = _ready.Count - 1; i >= 0; i--)
            {
                if (current.LeaderOf(_ready[i].Partition) != Broker)
                {
                    target.Add(_ready[i]);
                    _ready.RemoveAt(i);
                }
            }

            if (_onTheWay.Exists(sent => current.LeaderOf(sent.Queue.Partition) is >= 0 and var leader && leader != Broker))
            {
                Connection?.Dispose();
            }
        }
    }

    protected override void Run()
    {
        while (WaitForWork())
        {
            try
            {
                EnsureConnected();
                Linger();
                SendBatches();
                if (_onTheWay.Count > 0)
                {
                    TakeAnswer();
                }

                OnSuccess();
            }
            catch (Exception exception)
            {
                OnFailure(exception);
            }
        }
    }

    private bool WaitForWork()
    {
        lock (Gate)
        {
            while (_ready.Count == 0 && !IsStopping)
            {
                Monitor.Wait(Gate);
            }

            return !IsStopping;
        }
    }

    private void Linger()
    {
        var rest = Settings.Linger - Stopwatch.GetElapsedTime(_answeredAt);
        if (rest >= ShortestSleep && !HasMuch())
        {
            Thread.Sleep((int)Math.Ceiling(rest.TotalMilliseconds));
        }
    }

    private bool HasMuch()
    {
        lock (Gate)
        {
            return _ready.Exists(queue => queue.IsLarge);
        }
    }

    private void SendBatches()
    {
        if (_producerId < 0)
        {
            InitializeProducer();
        }

        TakeBatches();
        if (_onTheWay.Count == 0)
        {
            return;
        }

        var writer = Connection!.Start(WireApi.Produce);
        writer.WriteNull();
        writer.WriteInt16(AllInSyncReplicas);
        writer.WriteInt32((int)Settings.RequestTimeout.TotalMilliseconds);
        writer.WriteInt32(CountTopics());
        for (var i = 0; i < _onTheWay.Count; i++)
        {
            var (queue, batch) = _onTheWay[i];
            if (i == 0 || _onTheWay[i - 1].Queue.Partition.Topic != queue.Partition.Topic)
            {
                var partitions = 1;
                while (i + partitions < _onTheWay.Count && _onTheWay[i + partitions].Queue.Partition.Topic == queue.Partition.Topic)
                {
                    partitions++;
                }

                writer.WriteString(queue.TopicBytes);
                writer.WriteInt32(partitions);
            }

            writer.WriteInt32(queue.Partition.Partition);
            writer.WriteBytes(batch.Bytes);
        }

        _appender.Metrics.CountProduceRequest();
        Connection.Send();
    }

    private void TakeBatches()
    {
        lock (Gate)
        {
            _taken.AddRange(_ready);
            _ready.Clear();
        }

        // Records of one topic stand together in a request.
        _taken.Sort(static (one, other) => string.CompareOrdinal(one.Partition.Topic, other.Partition.Topic));
        var size = 0L;
        var needsProducerId = false;
        foreach (var queue in _taken)
        {
            if (size >= MaximumRequest || queue.UsedUpProducerId == _producerId)
            {
                needsProducerId |= queue.UsedUpProducerId == _producerId;
                Enqueue(queue);
            }
            else if (queue.Take(_producerId) is { } batch)
            {
                size += batch.Size;
                lock (Gate)
                {
                    _onTheWay.Add((queue, batch));
                }
            }
        }

        _taken.Clear();
        if (needsProducerId)
        {
            _producerId = -1;
        }
    }

    private int CountTopics()
    {
        var count = 1;
        for (var i = 1; i < _onTheWay.Count; i++)
        {
            count += _onTheWay[i].Queue.Partition.Topic == _onTheWay[i - 1].Queue.Partition.Topic ? 0 : 1;
        }

        return count;
    }

    private void TakeAnswer()
    {
        var reader = Connection!.Receive();
        _answeredAt = Stopwatch.GetTimestamp();
        for (var topics = reader.ReadCount(); topics > 0; topics--)
        {
            var topic = reader.ReadUtf8();
            for (var partitions = reader.ReadCount(); partitions > 0; partitions--)
            {
                var partition = reader.ReadInt32();
                var error = reader.ReadInt16();
                var offset = reader.ReadInt64();

                // The time of the append, and where the partition starts.
                _ = reader.ReadInt64();
                _ = reader.ReadInt64();
                var reason = ReadReason(ref reader);
                OnOutcome(topic, partition, error, offset, reason);
            }
        }

        if (_onTheWay.Count > 0)
        {
            throw new WireException($"{Connection.Address} did not answer for each partition.");
        }
    }

    private static string? ReadReason(ref WireReader reader)
    {
        string? reason = null;
        for (var records = reader.ReadCount(); records > 0; records--)
        {
            _ = reader.ReadInt32();
            var ofRecord = reader.ReadString();
            reason ??= ofRecord.Length > 0 ? ofRecord : null;
        }

        var message = reader.ReadString();
        return reason ?? (message.Length > 0 ? message : null);
    }

    private void OnOutcome(ReadOnlySpan<byte> topic, int partition, short error, long offset, string? reason)
    {
        (AppendQueue Queue, AppendBatch Batch)? found = null;
        lock (Gate)
        {
            for (var i = 0; i < _onTheWay.Count; i++)
            {
                var queue = _onTheWay[i].Queue;
                if (queue.Partition.Partition == partition && topic.SequenceEqual(queue.TopicBytes))
                {
                    found = _onTheWay[i];
                    _onTheWay.RemoveAt(i);
                    break;
                }
            }
        }

        if (found is not var (sent, batch))
        {
            return;
        }

        if (error is WireError.None or WireError.DuplicateSequenceNumber)
        {
            if (sent.Complete(batch, error == WireError.None ? offset : -1))
            {
                _appender.Schedule(sent);
            }

            return;
        }

        _appender.Metrics.CountError(WireError.NameOf(error));
        if (WireError.IsRetriable(error))
        {
            _appender.Logger.LogAppendRetried(sent.Partition.ToString(), WireError.NameOf(error));
            _appender.Park(sent);
        }
        else if (WireError.IsSequenceLost(error))
        {
            sent.BeginAnew(batch, error);
            _appender.Park(sent);
        }
        else if (sent.Refuse(batch, error, reason is null ? WireError.NameOf(error) : $"{WireError.NameOf(error)}: {reason}"))
        {
            _appender.Schedule(sent);
        }
    }

    private void InitializeProducer()
    {
        var writer = Connection!.Start(WireApi.InitProducerId);
        writer.WriteNull();
        writer.WriteInt32(int.MaxValue);
        var reader = Connection.SendAndReceive();
        _ = reader.ReadInt32();
        if (reader.ReadInt16() is var error and not WireError.None)
        {
            throw new WireException($"{Connection.Address} gives no producer id: {WireError.NameOf(error)}");
        }

        _producerId = reader.ReadInt64();
    }

    /// <summary>What was on its way may be stored or not: it is sent again as it was, here or to another broker.</summary>
    private void OnFailure(Exception exception)
    {
        if (!TryFail(exception))
        {
            return;
        }

        List<AppendQueue> waiting;
        lock (Gate)
        {
            waiting = [.. _onTheWay.Select(sent => sent.Queue).Union(_ready).Union(_taken)];
            _taken.Clear();
            _onTheWay.Clear();
            _ready.Clear();
        }

        foreach (var queue in waiting)
        {
            _appender.Park(queue);
        }

        BackOff();
    }
}
