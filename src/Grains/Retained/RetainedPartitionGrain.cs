using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Writes retained messages by transactions that what comes at the same time shares, and follows its partition of the retained topic, whoever writes there: what it answers is what
/// the topic holds. Payloads stay on the log.
/// </summary>
[PartitionPlacement, Reentrant, KeepAlive]
internal sealed partial class RetainedPartitionGrain(
    IMessageLog log,
    RecordCodec codec,
    TopicRoutes routes,
    RetainedPartitions partitions,
    MessageEncoder encoder,
    TopicIdentities identities,
    [FromKeyedServices(ClientTime.Key)] TimeProvider time,
    ILogger<RetainedPartitionGrain> logger) : Grain, IRetainedPartitionGrain, IRetainedViewGrain, IPartitionOwnerGrain
{
    private const int BatchRecords = 20_000;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TopicCheckPeriod = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly RetainedIndex _index = new();
    private readonly RetainedCopies _copies = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private readonly Dictionary<SiloAddress, (long Sequence, Task<bool[]> IsStored)> _publishers = [];
    private readonly Dictionary<string, int> _publishing = new(StringComparer.Ordinal);
    private RetainedReader _reader = null!;
    private StrayReports _reports = null!;
    private PartitionStore? _store;
    private TopicPartitionId _partition;
    private long _generation;
    private long _position;
    private bool _isLoaded;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partition = partitions.All[(int)this.GetPrimaryKeyLong()];
        _generation = time.GetUtcNow().UtcTicks;
        _reader = new(log, _partition, _index, codec, routes, time, logger);
        _reports = new(_partition.Partition, ViewOf, logger);
        _store = await PartitionStore.OpenSharedAsync(log, _partition, $"{_partition.Topic}-{_partition.Partition}", logger, cancellationToken);
        DeactivateWhenFenced().Ignore();
        var topicId = (await identities.ReadAsync([_partition], cancellationToken))[0];
        this.RegisterGrainTimer(CheckTopic, topicId, new() { DueTime = TopicCheckPeriod, Period = TopicCheckPeriod, Interleave = true });
        Follow().Ignore();
        foreach (var other in partitions.All)
        {
            if (other != _partition)
            {
                RequestStraysOf(other.Partition).Ignore();
            }
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        GrainInstruments.Retained.Add(-_index.Count);
        while (_waiting.TryDequeue(out var waiting, out _))
        {
            waiting.TrySetException(new ObjectDisposedException(nameof(RetainedPartitionGrain)));
        }

        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    public ValueTask Start() => ValueTask.CompletedTask;

    public async ValueTask<RetainedPublishResult> Publish(RetainedPublishBatch batch)
    {
        if (batch.Generation != 0 && batch.Generation != _generation)
        {
            return new(_generation, IsStored: null);
        }

        if (!_publishers.TryGetValue(batch.Edge, out var last) || batch.Sequence > last.Sequence)
        {
            last = (batch.Sequence, Publish(batch.Messages));
            _publishers[batch.Edge] = last;
        }

        try
        {
            return new(_generation, await last.IsStored);
        }
        catch
        {
            // Nothing of it was stored: the next attempt is a new one.
            if (_publishers.TryGetValue(batch.Edge, out var failed) && failed.IsStored == last.IsStored)
            {
                _publishers.Remove(batch.Edge);
            }

            throw;
        }
    }

    public async ValueTask<RetainedPage> Read(RetainedQuery query)
    {
        await Reach(query.AtLeast);
        return await LeaveOutOlder(await _reader.Read(query));
    }

    public async ValueTask NoteStrays(int partition, StrayRecord[] records)
    {
        await Reach(0);
        List<StoreRecord> deletions = [];
        foreach (var (topic, at, isDeleted) in records)
        {
            if (!isDeleted)
            {
                _copies.Set(topic, partition, at);
                if (_copies.DeletedSince(topic, at) is { } deletedAt)
                {
                    AddDeletion(topic, partition, deletedAt, deletions);
                }

                continue;
            }

            _copies.Remove(topic, partition);
            DeleteCopies(topic, at, deletions);
            if (_index.TryGet(Encoding.UTF8.GetBytes(topic), out var entry) && entry.TimestampMilliseconds < at && !_publishing.ContainsKey(topic))
            {
                AddDeletion(topic, _partition.Partition, at, deletions);
            }
        }

        if (deletions.Count > 0)
        {
            await _store!.CommitAsync(deletions.ToArray());
        }
    }

    public ValueTask RequestStrays(int partition)
    {
        _reports.Repeat(partition);
        _reports.Flush();
        return ValueTask.CompletedTask;
    }

    public async ValueTask<bool[]> HaveNewer(int partition, StrayRecord[] records)
    {
        await Reach(0);
        return Array.ConvertAll(records, record =>
            (_index.TryGet(Encoding.UTF8.GetBytes(record.Topic), out var entry) && entry.TimestampMilliseconds >= record.TimestampMilliseconds)
            || _copies.HasNewer(record.Topic, partition, record.TimestampMilliseconds));
    }

    private IRetainedViewGrain ViewOf(int partition) => GrainFactory.GetGrain<IRetainedViewGrain>(partition);

    private async Task<bool[]> Publish(ArraySegment<MqttMessage> messages)
    {
        List<StoreRecord> records = new(2 * messages.Count);
        foreach (var message in messages)
        {
            encoder.Add(message, records);
            _publishing[message.Topic] = _publishing.GetValueOrDefault(message.Topic) + 1;
        }

        var isStored = new bool[messages.Count];
        try
        {
            await _store!.CommitAsync(records.ToArray());
            Array.Fill(isStored, true);
            GrainInstruments.Published.Add(messages.Count);
        }
        catch (ArgumentException exception)
        {
            // The log does not take one of them, ever: it is too large. The others must not suffer.
            LogRefused(exception.Message, _partition);
            for (var i = 0; i < isStored.Length; i++)
            {
                isStored[i] = messages.Count > 1 && (await Publish(messages.Slice(i, 1)))[0];
            }
        }
        finally
        {
            foreach (var message in messages)
            {
                if (--_publishing[message.Topic] == 0)
                {
                    _publishing.Remove(message.Topic);
                }
            }
        }

        return isStored;
    }

    public async ValueTask Serve() => await Reach(offset: 0);

    /// <summary>Waits until the partition is loaded and was read up to an offset.</summary>
    private Task Reach(long offset)
    {
        if (_isLoaded && _position >= offset)
        {
            return Task.CompletedTask;
        }

        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(waiting, offset);
        return waiting.Task;
    }

    private Task CheckTopic(Guid topicId, CancellationToken cancellationToken)
    {
        if (!identities.IsStill(_partition.Topic, topicId))
        {
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    private async Task Follow()
    {
        try
        {
            var startedAt = Stopwatch.GetTimestamp();
            var (start, end) = (await log.GetOffsetsAsync([_partition], _stopping.Token))[0];
            await using var reader = log.OpenReader(_partition.Topic, _partition.Partition, start);
            for (_position = start; ; await ReadNext(reader))
            {
                if (!_isLoaded && _position >= end)
                {
                    _isLoaded = true;
                    LogLoaded(_partition, _index.Count, (long)Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
                }

                while (_isLoaded && _waiting.TryPeek(out var waiting, out var offset) && offset <= _position)
                {
                    _waiting.Dequeue();
                    waiting.TrySetResult();
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // It ends.
        }
        catch (Exception exception)
        {
            // The topic was made anew, or cut: what was read of it means nothing any more, and the next activation reads it again.
            LogFollowFailed(exception, _partition, _position);
            DeactivateOnIdle();
        }
    }

    private async Task ReadNext(ILogReader reader)
    {
        var batch = await reader.ReadAsync(BatchRecords, _stopping.Token);
        List<StoreRecord> deletions = [];
        var before = _index.Count;
        foreach (var record in batch.Records)
        {
            Apply(record, deletions);
        }

        _position = batch.To;
        GrainInstruments.Retained.Add(_index.Count - before);
        _reports.Flush();
        if (deletions.Count > 0)
        {
            Store(deletions).Ignore();
        }
    }

    private void Apply(StoredRecord record, List<StoreRecord> deletions)
    {
        var key = record.Key.GetValueOrDefault().Span;
        if (!RetainedPartitions.IsTopicName(key))
        {
            GrainInstruments.Skipped.Add(1);
            return;
        }

        var (home, at) = (partitions.PartitionOf(key), record.TimestampMilliseconds);
        var isDeleted = record.Value.GetValueOrDefault().IsEmpty;
        if (isDeleted)
        {
            _index.Remove(key);
        }
        else
        {
            _index.Set(key, new(record.Offset, at, IsForeign: !codec.IsRetainedPublish(record)));
        }

        if (home != _partition.Partition)
        {
            _reports.Add(home, new(Encoding.UTF8.GetString(key), at, isDeleted));
        }
        else if (isDeleted)
        {
            var topic = Encoding.UTF8.GetString(key);
            _copies.NoteDeletion(topic, at);
            DeleteCopies(topic, at, deletions);
        }
    }

    /// <summary>A delete goes to all partitions that have an older message of the topic.</summary>
    private void DeleteCopies(string topic, long at, List<StoreRecord> deletions)
    {
        foreach (var partition in _copies.NotNewerThan(topic, at))
        {
            AddDeletion(topic, partition, at, deletions);
        }
    }

    private void AddDeletion(string topic, int partition, long at, List<StoreRecord> deletions) => deletions.Add(
        new(_partition.Topic, new() { Key = Encoding.UTF8.GetBytes(topic), Partition = partition, TimestampMilliseconds = at }));

    private async Task Store(List<StoreRecord> deletions)
    {
        try
        {
            await _store!.CommitAsync(deletions.ToArray());
        }
        catch (Exception exception)
        {
            LogNotDeleted(exception, _partition);
        }
    }

    /// <summary>Of messages of one topic on several partitions the newest counts; of the same time, that on the partition that the topic belongs to.</summary>
    private async ValueTask<RetainedPage> LeaveOutOlder(RetainedPage page)
    {
        if (_copies.IsEmpty && _reports.IsEmpty)
        {
            return page;
        }

        HashSet<string> older = new(StringComparer.Ordinal);
        foreach (var ofHome in page.Messages.GroupBy(message => partitions.PartitionOf(Encoding.UTF8.GetBytes(message.Topic))))
        {
            if (ofHome.Key == _partition.Partition)
            {
                older.UnionWith(ofHome.Where(message => _copies.HasNewer(message.Topic, message.TimestampMilliseconds)).Select(message => message.Topic));
                continue;
            }

            StrayRecord[] records = [.. ofHome.Select(message => new StrayRecord(message.Topic, message.TimestampMilliseconds, IsDeleted: false))];
            var haveNewer = await ViewOf(ofHome.Key).HaveNewer(_partition.Partition, records);
            older.UnionWith(records.Where((_, i) => haveNewer[i]).Select(record => record.Topic));
        }

        return older.Count == 0 ? page : page with { Messages = Array.FindAll(page.Messages, message => !older.Contains(message.Topic)) };
    }

    private async Task RequestStraysOf(int partition)
    {
        // Not awaited by the activation, which waits for no other grain.
        await Task.Yield();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await ViewOf(partition).RequestStrays(_partition.Partition);
                return;
            }
            catch (Exception exception) when (exception is not ObjectDisposedException)
            {
                LogRequestFailed(exception, _partition, partition);
                await Task.Delay(RetryDelay);
            }
        }
    }

    private async Task DeactivateWhenFenced()
    {
        await _store!.Fenced;
        DeactivateOnIdle();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition} holds retained messages of {Count} topics, read in {Milliseconds} ms")]
    private partial void LogLoaded(TopicPartitionId partition, int count, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition} has a retained message that the log does not take ({Reason})")]
    private partial void LogRefused(string reason, TopicPartitionId partition);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Partition} could not be followed at {Offset}: it is read again from its beginning")]
    private partial void LogFollowFailed(Exception exception, TopicPartitionId partition, long offset);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition} could not delete messages of other partitions that were deleted here")]
    private partial void LogNotDeleted(Exception exception, TopicPartitionId partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition} could not ask partition {Other} for its topics; it tries again")]
    private partial void LogRequestFailed(Exception exception, TopicPartitionId partition, int other);
}
