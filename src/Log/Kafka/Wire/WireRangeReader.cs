using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// Reads single stretches, on a few threads and connections of its own, so that those who follow the end are not disturbed. What a request brought beyond the stretch is kept,
/// because the next stretch is often asked for next.
/// </summary>
/// <param name="log">Tells the offsets of a partition whose stretch is not there.</param>
/// <param name="settings">The settings.</param>
/// <param name="metadata">Who leads which partition.</param>
/// <param name="otherwise">Reads what is not read here: compressed batches of other producers.</param>
/// <param name="logger">The logger.</param>
internal sealed class WireRangeReader(KafkaLog log, WireSettings settings, ClusterMetadata metadata, KafkaRangeReader otherwise, ILogger logger) : IDisposable
{
    private const int MaximumThreads = 4;
    private const int MaximumBytes = 512 * 1024;
    private const int MaximumKept = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private readonly BlockingCollection<Request> _requests = [];
    private readonly Lock _lock = new();
    private readonly List<(TopicPartitionId Partition, LogBatch Stretch)> _kept = [];
    private readonly List<Thread> _threads = [];
    private readonly ConcurrentDictionary<WireConnection, bool> _connections = [];
    private readonly CancellationTokenSource _stopping = new();
    private int _idle;

    private enum Outcome
    {
        Read,
        OutOfRange,
        NotReadable,
    }

    public async Task<LogBatch> ReadAsync(TopicPartitionId partition, long from, int maxRecords, CancellationToken cancellationToken)
    {
        if (TakeKept(partition, from) is { } kept)
        {
            return Cut(kept, maxRecords);
        }

        metadata.Watch(partition.Topic);
        Request request = new(partition, from, cancellationToken);
        Enqueue(request);
        var (outcome, batch) = await request.Answer.Task.WaitAsync(cancellationToken);
        switch (outcome)
        {
            case Outcome.NotReadable:
                return await otherwise.ReadAsync(partition, from, maxRecords, cancellationToken);
            case Outcome.OutOfRange:
                throw new OffsetOutOfRangeException(partition, from, (await log.GetOffsetsAsync([partition], cancellationToken))[0]);
            default:
                return Cut(batch!, maxRecords);
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _requests.CompleteAdding();
        foreach (var connection in _connections.Keys)
        {
            connection.Dispose();
        }

        lock (_lock)
        {
            _threads.ForEach(thread => thread.Join());
        }

        while (_requests.TryTake(out var request))
        {
            request.Answer.TrySetException(new ObjectDisposedException(nameof(IMessageLog)));
        }
    }

    private void Enqueue(Request request)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            if (Volatile.Read(ref _idle) <= _requests.Count && _threads.Count < MaximumThreads)
            {
                Thread thread = new(Run) { IsBackground = true, Name = "Kafka stretches" };
                _threads.Add(thread);
                thread.Start();
            }

            _requests.Add(request);
        }
    }

    /// <summary>The first records of a stretch; the rest is kept.</summary>
    private LogBatch Cut(LogBatch batch, int maxRecords)
    {
        if (batch.Records.Length <= maxRecords)
        {
            return batch;
        }

        var middle = batch.Records[maxRecords - 1].Offset + 1;
        lock (_lock)
        {
            if (_kept.Count == MaximumKept)
            {
                _kept.RemoveAt(0);
            }

            _kept.Add((new(batch.Topic, batch.Partition), Part(batch, middle, batch.To, batch.Records[maxRecords..])));
        }

        return Part(batch, batch.From, middle, batch.Records[..maxRecords]);
    }

    private LogBatch? TakeKept(TopicPartitionId partition, long from)
    {
        lock (_lock)
        {
            var index = _kept.FindIndex(kept => kept.Partition == partition && kept.Stretch.From == from);
            if (index < 0)
            {
                return null;
            }

            var rest = _kept[index].Stretch;
            _kept.RemoveAt(index);
            return rest;
        }
    }

    private static LogBatch Part(LogBatch batch, long from, long to, StoredRecord[] records) =>
        new() { Topic = batch.Topic, Partition = batch.Partition, From = from, To = to, Records = records };

    private void Run()
    {
        Dictionary<int, WireConnection> connections = [];
        RecordBatchReader batches = new();
        while (true)
        {
            Interlocked.Increment(ref _idle);
            var isThere = _requests.TryTake(out var request, Timeout.Infinite);
            Interlocked.Decrement(ref _idle);
            if (!isThere)
            {
                break;
            }

            Answer(request!, connections, batches);
        }

        foreach (var connection in connections.Values)
        {
            connection.Dispose();
        }
    }

    private void Answer(Request request, Dictionary<int, WireConnection> connections, RecordBatchReader batches)
    {
        if (request.CancellationToken.IsCancellationRequested)
        {
            request.Answer.TrySetCanceled(request.CancellationToken);
            return;
        }

        var leader = metadata.Current.LeaderOf(request.Partition);
        try
        {
            if (leader >= 0 && Read(request, ConnectionOf(leader, connections), batches) is { } answer)
            {
                request.Answer.TrySetResult(answer);
                return;
            }
        }
        catch (Exception exception)
        {
            if (!WireConnection.IsFailure(exception))
            {
                logger.LogWireFault(exception, request.Partition.ToString());
            }

            Close(leader, connections);
        }

        // It waits for its turn again, behind what others ask for.
        metadata.Refresh();
        _stopping.Token.WaitHandle.WaitOne(Pause);
        try
        {
            _requests.Add(request);
        }
        catch (InvalidOperationException)
        {
            request.Answer.TrySetException(new ObjectDisposedException(nameof(IMessageLog)));
        }
    }

    /// <returns>Null when it is to be tried again.</returns>
    private static (Outcome Outcome, LogBatch? Batch)? Read(Request request, WireConnection connection, RecordBatchReader batches)
    {
        var (topic, offset) = (Encoding.UTF8.GetBytes(request.Partition.Topic), request.From);
        List<StoredRecord> records = [];
        while (true)
        {
            var writer = connection.Start(WireApi.Fetch);
            FetchProtocol.WriteHead(writer, TimeSpan.Zero, MaximumBytes, partitions: 1);
            FetchProtocol.WritePartition(writer, topic, request.Partition.Partition, offset, MaximumBytes);
            FetchProtocol.WriteTail(writer);
            var reader = connection.SendAndReceive();
            FetchProtocol.ReadHead(ref reader);
            if (reader.ReadCount() != 1 || reader.ReadUtf8().IsEmpty || reader.ReadCount() != 1)
            {
                throw new WireException($"{connection.Address} answered for other partitions.");
            }

            _ = reader.ReadInt32();
            var error = FetchProtocol.ReadPartition(ref reader, batches.Aborted, out var end);
            if (error != WireError.None)
            {
                return error == WireError.OffsetOutOfRange ? (Outcome.OutOfRange, null) : null;
            }

            var before = offset;
            if (!batches.Read(reader.ReadBytes(), ref offset, records) && records.Count == 0)
            {
                return (Outcome.NotReadable, null);
            }

            // Markers and aborted records alone are no answer, unless they are all there is.
            if (records.Count > 0 || offset >= end || offset == before)
            {
                LogBatch batch = new() { Topic = request.Partition.Topic, Partition = request.Partition.Partition, From = request.From, To = offset, Records = [.. records] };
                return (Outcome.Read, batch);
            }
        }
    }

    private WireConnection ConnectionOf(int broker, Dictionary<int, WireConnection> connections)
    {
        if (connections.TryGetValue(broker, out var connection) && !connection.IsExpired)
        {
            return connection;
        }

        Close(broker, connections);
        var address = metadata.Current.AddressOf(broker) ?? throw new WireException($"Broker {broker} is not known any more.");
        connection = WireConnection.Open(settings, address, opening =>
        {
            _connections[opening] = true;
            if (_stopping.IsCancellationRequested)
            {
                opening.Dispose();
            }
        });
        return connections[broker] = connection;
    }

    private void Close(int broker, Dictionary<int, WireConnection> connections)
    {
        if (connections.Remove(broker, out var connection))
        {
            connection.Dispose();
        }

        foreach (var closed in _connections.Keys.Where(closed => closed.IsClosed))
        {
            _connections.TryRemove(closed, out _);
        }
    }

    private sealed record Request(TopicPartitionId Partition, long From, CancellationToken CancellationToken)
    {
        public TaskCompletionSource<(Outcome Outcome, LogBatch? Batch)> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
