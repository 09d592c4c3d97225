using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Reads back what mailboxes refer to, for all session partitions of a silo: in blocks of neighbouring offsets, each read and decoded once however many clients want of it at the
/// time, and kept while there is room (<see cref="SessionsOptions.ReadBackBytes"/>). Any thread.
/// </summary>
internal sealed class StoredMessages
{
    private const int BlockOffsets = 1024;
    private const int MessageBytes = 200;
    private const int BlocksAhead = 3;
    private readonly Lock _gate = new();
    private readonly Dictionary<(TopicPartitionId Source, long Number), Block> _blocks = [];
    private readonly LinkedList<Block> _byUse = [];
    private readonly Dictionary<(TopicPartitionId Source, long Number), Task<LoadedStretch>> _reading = [];
    private readonly ConcurrentBag<MessageDecoder> _decoders = [];
    private readonly IMessageLog _log;
    private readonly RecordCodec _codec;
    private readonly TopicRoutes _routes;
    private readonly SessionsOptions _options;
    private long _bytes;

    // Counts the topics that were made anew: what was being read then may be of the old one.
    private int _era;

    public StoredMessages(IMessageLog log, RecordCodec codec, TopicRoutes routes, TopicIdentities identities, IOptions<SessionsOptions> options)
    {
        (_log, _codec, _routes, _options) = (log, codec, routes, options.Value);
        identities.Changed += Forget;
    }

    /// <summary>The stretch with an offset, if it is here.</summary>
    public LoadedStretch? Find(TopicPartitionId source, long offset)
    {
        lock (_gate)
        {
            if (_blocks.TryGetValue((source, offset / BlockOffsets), out var block) && block.Stretch.Covers(offset))
            {
                _byUse.Remove(block.Node);
                _byUse.AddLast(block.Node);
                return block.Stretch;
            }

            return null;
        }
    }

    /// <summary>Reads the stretch with an offset; it may end before the offset when the log ends there now.</summary>
    /// <exception cref="OffsetOutOfRangeException">Retention has removed the offset.</exception>
    public Task<LoadedStretch> ReadAsync(TopicPartitionId source, long offset)
    {
        if (Find(source, offset) is { } found)
        {
            return Task.FromResult(found);
        }

        var key = (source, offset / BlockOffsets);
        lock (_gate)
        {
            if (_reading.TryGetValue(key, out var reading))
            {
                return reading;
            }

            TaskCompletionSource<LoadedStretch> read = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _reading.Add(key, read.Task);
            Read(key, offset, read).Ignore();
            return read.Task;
        }
    }

    /// <summary>Begins to read what follows a stretch, up to an offset at most, for who takes messages faster than they are read one block after the other.</summary>
    public void ReadAhead(TopicPartitionId source, LoadedStretch stretch, long end)
    {
        // Not so much that it is forgotten before it is wanted.
        var blocks = Math.Min(BlocksAhead, _options.ReadBackBytes / 4 / Math.Max(1, SizeOf(stretch)));
        var next = (stretch.To + BlockOffsets - 1) / BlockOffsets * BlockOffsets;
        for (var start = next; start < Math.Min(end, next + (blocks * BlockOffsets)); start += BlockOffsets)
        {
            ReadAsync(source, start).Ignore();
        }
    }

    private static long SizeOf(LoadedStretch stretch) => stretch.Messages.Sum(static message => (long)message.Payload.Length + MessageBytes);

    private async Task Read((TopicPartitionId Source, long Number) key, long offset, TaskCompletionSource<LoadedStretch> read)
    {
        // Outside of the lock, and of the turn of the grain that wants it.
        await Task.Yield();
        var era = Volatile.Read(ref _era);
        if (!_decoders.TryTake(out var decoder))
        {
            decoder = new(_codec, _routes);
        }

        try
        {
            var stretch = await ReadBlockAsync(key.Source, key.Number * BlockOffsets, offset, decoder);
            lock (_gate)
            {
                _reading.Remove(key);
                if (era == _era)
                {
                    Keep(key, stretch);
                }
            }

            read.SetResult(stretch);
        }
        catch (Exception exception)
        {
            lock (_gate)
            {
                _reading.Remove(key);
            }

            read.SetException(exception);
        }

        _decoders.Add(decoder);
    }

    private async Task<LoadedStretch> ReadBlockAsync(TopicPartitionId source, long start, long wanted, MessageDecoder decoder)
    {
        var end = start + BlockOffsets;
        var position = start;
        List<MqttMessage> messages = new(BlockOffsets);
        while (position < end)
        {
            LogBatch batch;
            try
            {
                batch = await _log.ReadRangeAsync(source.Topic, source.Partition, position, (int)(end - position), CancellationToken.None);
            }
            catch (OffsetOutOfRangeException exception) when (exception.Available.Start > position && exception.Available.Start <= wanted)
            {
                // Retention has come into the block, not up to what is wanted.
                start = position = exception.Available.Start;
                continue;
            }

            if (batch.To <= position)
            {
                break;
            }

            messages.AddRange(decoder.Decode(batch));
            position = batch.To;
        }

        return new(start, position, [.. messages]);
    }

    private void Keep((TopicPartitionId Source, long Number) key, LoadedStretch stretch)
    {
        if (_blocks.Remove(key, out var old))
        {
            Forget(old);
        }

        var bytes = SizeOf(stretch);
        Block block = new(key, stretch, bytes);
        _blocks.Add(key, block);
        _byUse.AddLast(block.Node);
        _bytes += bytes;
        while (_bytes > _options.ReadBackBytes && _byUse.First is { } first && first != _byUse.Last)
        {
            _blocks.Remove(first.Value.Key);
            Forget(first.Value);
        }
    }

    private void Forget(string topic)
    {
        lock (_gate)
        {
            _era++;
            foreach (var (key, block) in _blocks)
            {
                if (key.Source.Topic == topic)
                {
                    _blocks.Remove(key);
                    Forget(block);
                }
            }
        }
    }

    private void Forget(Block block)
    {
        _byUse.Remove(block.Node);
        _bytes -= block.Bytes;
    }

    private sealed class Block
    {
        public Block((TopicPartitionId Source, long Number) key, LoadedStretch stretch, long bytes)
        {
            (Key, Stretch, Bytes) = (key, stretch, bytes);
            Node = new(this);
        }

        public (TopicPartitionId Source, long Number) Key { get; }

        public LoadedStretch Stretch { get; }

        public long Bytes { get; }

        public LinkedListNode<Block> Node { get; }
    }
}
