using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log.Kafka;
using OrleansMqtt.Log.Kafka.Wire;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>What the batches of a partition carry, whatever the broker answers.</summary>
public sealed class WireAppendQueueTests : IAppendCompletion, IDisposable
{
    private const short MessageTooLarge = 10;
    private const short OutOfOrderSequence = 45;
    private readonly List<string> _told = [];
    private readonly ClusterMetadata _metadata;
    private readonly WireAppender _appender;
    private readonly AppendQueue _queue;

    public WireAppendQueueTests()
    {
        // Nobody listens there: only the queue is looked at.
        var settings = WireSettings.Create(new() { BootstrapServers = "127.0.0.1:1" });
        _metadata = new(settings, _ => { }, NullLogger.Instance);
        _appender = new(settings, _metadata, new("test"), NullLogger.Instance);
        _queue = new(_appender, new("topic", 3));
    }

    public void Dispose()
    {
        _appender.Dispose();
        _metadata.Dispose();
    }

    void IAppendCompletion.OnAppended(long state, in AppendResult result) => _told.Add(result.IsStored ? $"{state} at {result.Partition}/{result.Offset}" : $"{state} {result.Error}");

    [Fact]
    public void A_batch_is_the_same_until_its_outcome_is_known_and_the_next_goes_on_behind_it()
    {
        Append(1, 2);
        var first = _queue.Take(7)!;
        var bytes = first.Bytes.ToArray();
        Assert.Equal((7, 0, 0, 2), Identity(first));
        Append(3);
        Assert.Same(first, _queue.Take(8));
        Assert.Equal(bytes, first.Bytes);
        Assert.True(_queue.Complete(first, 40));
        Assert.Equal((7, 0, 2, 1), Identity(_queue.Take(8)!));
        Assert.Equal(["1 at 3/40", "2 at 3/41"], _told);
    }

    [Fact]
    public void When_the_broker_lost_the_sequence_the_batch_begins_the_next_epoch()
    {
        Append(1);
        Assert.False(_queue.Complete(_queue.Take(7)!, 0));
        Append(2);
        var batch = _queue.Take(7)!;
        Assert.Equal((7, 0, 1, 1), Identity(batch));
        _queue.BeginAnew(batch, OutOfOrderSequence);
        Assert.Same(batch, _queue.Take(7));
        Assert.Equal((7, 1, 0, 1), Identity(batch));
        _queue.Complete(batch, 1);
        Append(3);
        Assert.Equal((7, 1, 1, 1), Identity(_queue.Take(7)!));
    }

    [Fact]
    public void After_the_last_epoch_another_producer_begins()
    {
        Append(1);
        var batch = _queue.Take(7)!;
        for (var epoch = 0; epoch < short.MaxValue; epoch++)
        {
            _queue.BeginAnew(batch, OutOfOrderSequence);
            batch = _queue.Take(7)!;
        }

        Assert.Equal((7, short.MaxValue, 0, 1), Identity(batch));
        _queue.BeginAnew(batch, OutOfOrderSequence);
        Assert.Equal(7, _queue.UsedUpProducerId);
        Assert.Equal((9, 0, 0, 1), Identity(_queue.Take(9)!));
    }

    [Fact]
    public void A_refused_batch_comes_again_in_parts_before_what_follows_and_a_single_record_fails()
    {
        Append(1, 2, 3);
        var batch = _queue.Take(7)!;
        Append(4);
        Assert.True(_queue.Refuse(batch, MessageTooLarge, "too large"));
        var part = _queue.Take(7)!;
        Assert.Equal((7, 1, 0, 1), Identity(part));
        Assert.True(_queue.Refuse(part, MessageTooLarge, "too large"));
        part = _queue.Take(7)!;
        Assert.Equal((7, 2, 0, 2), Identity(part));
        Assert.True(_queue.Complete(part, 50));
        part = _queue.Take(7)!;
        Assert.Equal((7, 2, 2, 1), Identity(part));
        Assert.False(_queue.Complete(part, 52));
        Assert.Null(_queue.Take(7));
        Assert.Equal(["1 too large", "2 at 3/50", "3 at 3/51", "4 at 3/52"], _told);
    }

    [Fact]
    public void A_closed_queue_fails_what_it_holds_and_what_comes_later()
    {
        Append(1);
        _queue.Take(7);
        Append(2);
        _queue.FailAll("closed", close: true);
        Append(3);
        Assert.Equal(["1 closed", "2 closed", $"3 {WireAppender.ClosedReason}"], _told);
        Assert.True(_queue.IsEmpty);
    }

    private static (long ProducerId, int Epoch, int Sequence, int Count) Identity(AppendBatch batch) => (
        BinaryPrimitives.ReadInt64BigEndian(batch.Bytes[43..]), BinaryPrimitives.ReadInt16BigEndian(batch.Bytes[51..]), BinaryPrimitives.ReadInt32BigEndian(batch.Bytes[53..]), batch.Count);

    private void Append(params ReadOnlySpan<int> states)
    {
        foreach (var state in states)
        {
            _queue.Append(new() { Key = "k"u8.ToArray(), Value = new byte[10] }, this, state);
        }
    }
}
