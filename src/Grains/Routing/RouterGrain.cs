using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Streams;
using Orleans.Streams.Core;
using OrleansMqtt.Log;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Consumes the stream of one messages partition. A new router starts at the end of the partition and asks all session partitions for their filters; each of them reads what it
/// misses before that from the log itself.
/// </summary>
[ImplicitStreamSubscription(StreamNamespace), PartitionPlacement, Reentrant, KeepAlive]
internal sealed partial class RouterGrain(
    IMessageLog log, TopicRoutes routes, RecordCodec codec, SubscriptionIndexes indexes, TopicIdentities identities, IOptions<TopicsOptions> options, ILogger<RouterGrain> logger)
    : Grain, IRouterGrain, IPartitionOwnerGrain, IStreamSubscriptionObserver, IAsyncObserver<LogBatch>
{
    /// <summary>The namespace of the streams of messages.</summary>
    public const string StreamNamespace = "messages";

    private static readonly TimeSpan EmptyStretchPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TopicCheckPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SlowTargetLimit = TimeSpan.FromSeconds(1);
    private RouterIndex _index = null!;
    private readonly Utf8StringCache _strings = new();
    private readonly RouterTarget?[] _targets = new RouterTarget?[options.Value.Sessions.Partitions];
    private readonly TargetSet _touched = new();
    private TopicPartitionId _source;
    private MessagesTopic _topic = null!;
    private Guid _topicId;
    private long _generation;
    private long _position;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _source = TopicPartitionId.Parse(this.GetPrimaryKeyString());
        _topic = routes.MessagesTopicOf(_source.Topic);
        _generation = DateTime.UtcNow.Ticks;
        _topicId = (await identities.ReadAsync([_source], cancellationToken))[0];
        _position = (await log.GetOffsetsAsync([_source], cancellationToken))[0].End;
        _index = indexes.Open();
        for (var partition = 0; partition < options.Value.Sessions.Partitions; partition++)
        {
            // Not awaited: an activation waits for no other grain.
            RequestFilters(GrainFactory.GetGrain<ISessionPartitionGrain>(partition)).Ignore();
        }

        this.RegisterGrainTimer(CheckTopic, new() { DueTime = TopicCheckPeriod, Period = TopicCheckPeriod, Interleave = true });
        this.RegisterGrainTimer(SendEmptyStretches, new() { DueTime = EmptyStretchPeriod, Period = EmptyStretchPeriod, Interleave = true });
        LogStarted(_source, _position);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_index is not null)
        {
            // Beside the turns: the next router need not wait for it.
            _ = Task.Run(_index.Dispose, CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<LogBatch>().ResumeAsync(this, new LogOffsetToken(_position));

    /// <summary>What comes before the filters are known is read by the session partitions.</summary>
    public ValueTask Serve() => ValueTask.CompletedTask;

    public async ValueTask<UpdateIndexResult> UpdateIndex(IndexUpdate update)
    {
        if (update.TopicId != _topicId && update.TopicId != Guid.Empty && _topicId != Guid.Empty)
        {
            await identities.ReadAsync([_source], CancellationToken.None);
            await CheckTopic(CancellationToken.None);
            throw new InvalidOperationException($"Topic '{_source.Topic}' was made anew: the router and the session partition read different ones.");
        }

        var target = _targets[update.SessionPartition] ??= new(update.SessionPartition, GrainFactory.GetGrain<ISessionPartitionGrain>(update.SessionPartition));
        if (!Apply(target, update))
        {
            return new(_generation, IsApplied: false, _position, _position);
        }

        var position = _position;
        var end = (await log.GetOffsetsAsync([_source], CancellationToken.None))[0].End;
        return new(_generation, IsApplied: true, position, Math.Max(position, end));
    }

    public async Task OnNextAsync(LogBatch batch, StreamSequenceToken? token = null)
    {
        if (batch.To <= _position)
        {
            return;
        }

        Match(batch);
        GrainInstruments.Read.Add(batch.Records.Length);
        _position = batch.To;
        foreach (var target in _targets)
        {
            target?.Matched(_position);
        }

        RouterTarget? full = null;
        foreach (var partition in _touched)
        {
            var target = _targets[partition]!;
            if (!target.IsSending)
            {
                Send(target).Ignore();
            }

            full = target.IsFull ? target : full;
        }

        _touched.Clear();
        if (full is not null)
        {
            await WaitForTargets();
        }
    }

    public Task OnCompletedAsync() => Task.CompletedTask;

    public Task OnErrorAsync(Exception ex)
    {
        LogStreamError(ex, _source);
        return Task.CompletedTask;
    }

    private void Match(LogBatch batch)
    {
        _index.Begin();
        try
        {
            foreach (var record in batch.Records)
            {
                if (record.Offset < _position)
                {
                    continue;
                }

                if (codec.Decode(record, _topic.DefaultQoS, _strings) is not { } message || !_topic.Includes(message.Topic))
                {
                    GrainInstruments.Skipped.Add(1);
                    continue;
                }

                foreach (var partition in _index.Match(message.Topic))
                {
                    // One that has told only other routers yet reads from the log what it gets from here later.
                    if (_targets[partition] is { Generation: not 0 } target)
                    {
                        target.Add(message);
                        _touched.Add(partition);
                    }
                }
            }
        }
        finally
        {
            _index.End();
        }
    }

    private bool Apply(RouterTarget target, IndexUpdate update)
    {
        if (update.Generation < target.Generation)
        {
            return false;
        }

        if (update.IsComplete)
        {
            if (target.Generation != 0)
            {
                _index.RemoveAll(target.SessionPartition);
            }

            target.Generation = update.Generation;
            target.Start(_position);
        }
        else if (update.Generation != target.Generation || update.Version > target.Version + 1)
        {
            return false;
        }
        else if (update.Version <= target.Version)
        {
            // A repeated call, because the answer to the first was lost.
            return true;
        }

        _index.Remove(target.SessionPartition, update.Removed);
        _index.Add(target.SessionPartition, update.Added);
        target.Version = update.Version;
        return true;
    }

    /// <summary>The next router begins with the topic that there is now.</summary>
    private Task CheckTopic(CancellationToken cancellationToken)
    {
        if (!identities.IsStill(_source.Topic, _topicId))
        {
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    /// <summary>Where nothing matches, targets hear how far the partition was read, so that their checkpoints move on.</summary>
    private Task SendEmptyStretches(CancellationToken cancellationToken)
    {
        foreach (var target in _targets)
        {
            if (target is { IsBehind: true })
            {
                Send(target, isEmpty: true).Ignore();
            }
        }

        return Task.CompletedTask;
    }

    private async Task Send(RouterTarget target, bool isEmpty = false)
    {
        target.IsSending = true;
        while (target.HasPending || isEmpty)
        {
            isEmpty = false;
            var batch = target.Take(_source);
            GrainInstruments.Routed.Add(batch.Messages.Count);
            await Send(target, batch);
        }

        target.IsSending = false;
    }

    private async Task Send(RouterTarget target, RoutedBatch batch)
    {
        while (batch.TargetGeneration == target.Generation)
        {
            try
            {
                await target.Grain.Route(batch);
                return;
            }
            catch (Exception exception)
            {
                // Whether it arrived or not: a target drops what it has already.
                LogRouteFailed(exception, _source, target.SessionPartition, batch.From, batch.To);
                await Task.Delay(100);
            }
        }
    }

    private async Task WaitForTargets()
    {
        foreach (var target in _targets)
        {
            if (target is { IsFull: true })
            {
                await target.WaitForRoomAsync(SlowTargetLimit);
                if (target.IsFull)
                {
                    LogTargetSkipped(_source, target.SessionPartition, target.From, target.To);
                    target.Skip();
                }
            }
        }
    }

    private async Task RequestFilters(ISessionPartitionGrain grain)
    {
        await Task.Yield();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await grain.RequestFilters(_source, _generation);
                return;
            }
            catch (Exception exception) when (exception is not ObjectDisposedException && attempt < 50)
            {
                LogRequestFailed(exception, _source, grain.GetPrimaryKeyLong());
                await Task.Delay(200);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Router {Source} starts at offset {Position}")]
    private partial void LogStarted(TopicPartitionId source, long position);

    [LoggerMessage(Level = LogLevel.Error, Message = "The stream of {Source} reported an error")]
    private partial void LogStreamError(Exception exception, TopicPartitionId source);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Router {Source} could not reach session partition {SessionPartition} with offsets {From} to {To}")]
    private partial void LogRouteFailed(Exception exception, TopicPartitionId source, int sessionPartition, long from, long to);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} is slow: it will read offsets {From} to {To} of {Source} from the log itself")]
    private partial void LogTargetSkipped(TopicPartitionId source, int sessionPartition, long from, long to);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Router {Source} could not ask session partition {SessionPartition} for its filters")]
    private partial void LogRequestFailed(Exception exception, TopicPartitionId source, long sessionPartition);
}
