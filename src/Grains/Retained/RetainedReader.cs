using System.Text;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Reads retained messages back from the log, in stretches, and leaves out what is not the newest of its topic any more. Used inside the turns of the partition's grain only.</summary>
internal sealed partial class RetainedReader(IMessageLog log, TopicPartitionId partition, RetainedIndex index, RecordCodec codec, TopicRoutes routes, TimeProvider time, ILogger logger)
{
    private const int StretchRecords = 2_048;
    private const int MaximumStretches = 8;

    /// <summary>Records that one page looks at, so that no call takes long.</summary>
    private const int MaximumScanned = 20_000;

    private readonly RetainedMatches _matches = new(index);
    private readonly RetainedCache _cache = new();
    private readonly List<LogBatch> _stretches = [];
    private readonly Utf8StringCache _strings = new();

    public async Task<RetainedPage> Read(RetainedQuery query)
    {
        Page page = new(query);
        if (_matches.Get(query) is { } offsets)
        {
            await Pick(page, offsets);
        }
        else
        {
            await Scan(page);
        }

        if (page.Next >= query.Before)
        {
            _matches.Remove(query);
        }

        return new([.. page.Messages], page.Next);
    }

    /// <summary>Reads the messages of a list of offsets.</summary>
    private async Task Pick(Page page, long[] offsets)
    {
        var i = FirstAtOrAfter(offsets, page.Query.From);
        while (i < offsets.Length && !page.IsFull)
        {
            if (_cache.Find(offsets[i]) is { } cached)
            {
                page.Next = offsets[i++] + 1;
                await Take(page, cached);
                continue;
            }

            var last = i;
            while (last + 1 < offsets.Length && offsets[last + 1] - offsets[i] < StretchRecords && last - i < page.Query.MaximumCount)
            {
                last++;
            }

            var batch = await ReadStretch(offsets[i], (int)(offsets[last] - offsets[i]) + 1);
            foreach (var record in batch.Records)
            {
                if (Array.BinarySearch(offsets, record.Offset) < 0 || Decode(record) is not { } message)
                {
                    continue;
                }

                _cache.Add(message);
                if (!page.IsFull)
                {
                    page.Next = record.Offset + 1;
                    await Take(page, message);
                }
            }

            if (!page.IsFull)
            {
                page.Next = Math.Max(page.Next, batch.To);
            }

            i = FirstAtOrAfter(offsets, page.Next);
        }

        if (i == offsets.Length)
        {
            page.Next = Math.Max(page.Next, page.Query.Before);
        }
    }

    /// <summary>Reads the partition on from where the query is.</summary>
    private async Task Scan(Page page)
    {
        var (query, scanned) = (page.Query, 0);
        while (page.Next < query.Before && !page.IsFull && scanned < MaximumScanned)
        {
            var batch = await FindStretch(page.Next);
            var from = page.Next;
            foreach (var record in batch.Records)
            {
                if (record.Offset < from)
                {
                    continue;
                }

                if (record.Offset >= query.Before || page.IsFull)
                {
                    break;
                }

                scanned++;
                page.Next = record.Offset + 1;
                if (record.Key is { } key && index.TryGet(key.Span, out var entry) && (entry.Offset == record.Offset || IsReplacedByOthers(query, entry))
                    && Decode(record) is { } message && TopicFilter.Matches(query.Filter, message.Topic))
                {
                    await Take(page, message);
                }
            }

            if (!page.IsFull)
            {
                page.Next = Math.Max(page.Next, batch.To);
            }
        }
    }

    /// <summary>Takes a message unless it was replaced or deleted, or has expired ([MQTT-3.3.2-5]).</summary>
    private async ValueTask Take(Page page, MqttMessage message)
    {
        if (!index.TryGet(Encoding.UTF8.GetBytes(message.Topic), out var entry))
        {
            return;
        }

        if (entry.Offset == message.Offset)
        {
            page.AddUnless(HasExpired(message), message);
        }
        else if (IsReplacedByOthers(page.Query, entry))
        {
            var batch = await ReadStretch(entry.Offset, 1);
            if (batch.Records.FirstOrDefault(record => record.Offset == entry.Offset) is { } record && Decode(record) is { } replacement)
            {
                page.AddUnless(HasExpired(replacement), replacement);
            }
        }
    }

    /// <summary>What another producer has put in place of a message since the subscription was made is delivered by nobody else.</summary>
    private static bool IsReplacedByOthers(RetainedQuery query, in RetainedEntry entry) => entry.IsForeign && entry.Offset >= query.Before;

    private bool HasExpired(MqttMessage message) =>
        message.Properties?.ExpiryIntervalSeconds is { } interval && time.GetUtcNow().ToUnixTimeMilliseconds() - message.TimestampMilliseconds >= interval * 1000L;

    private MqttMessage? Decode(StoredRecord record)
    {
        var usual = routes.MessagesTopicOf(partition.Topic).DefaultQoS;
        var message = codec.Decode(record, usual, _strings);
        if (message is null || routes.MessagesTopicOf(routes.TopicOf(message.Topic)).DefaultQoS is var defaultQoS && defaultQoS == usual)
        {
            return message;
        }

        // A record without a QoS has that of the topic that the publishes of its MQTT topic go to.
        return codec.Decode(record, defaultQoS, _strings);
    }

    private async Task<LogBatch> FindStretch(long from)
    {
        if (_stretches.Find(stretch => stretch.From <= from && from < stretch.To) is { } found)
        {
            return found;
        }

        var batch = await ReadStretch(from, StretchRecords);
        if (_stretches.Count == MaximumStretches)
        {
            _stretches.RemoveAt(0);
        }

        _stretches.Add(batch);
        return batch;
    }

    /// <summary>Reads on from an offset: at least up to the next, or to the first that the log still holds.</summary>
    private async Task<LogBatch> ReadStretch(long from, int maximum)
    {
        try
        {
            return await log.ReadOnAsync(partition, from, maximum, exception => LogReadFailed(exception, partition, from));
        }
        catch (OffsetOutOfRangeException exception)
        {
            return new() { Topic = partition.Topic, Partition = partition.Partition, From = from, To = Math.Max(from + 1, exception.Available.Start), Records = [] };
        }
    }

    private static int FirstAtOrAfter(long[] offsets, long offset)
    {
        var position = Array.BinarySearch(offsets, offset);
        return position < 0 ? ~position : position;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition} could not be read at {Offset}; it is tried again")]
    private partial void LogReadFailed(Exception exception, TopicPartitionId partition, long offset);

    /// <summary>A page that is being put together.</summary>
    private sealed class Page(RetainedQuery query)
    {
        private long _bytes;

        public RetainedQuery Query => query;

        public List<MqttMessage> Messages { get; } = [];

        public long Next { get; set; } = query.From;

        public bool IsFull => Messages.Count >= query.MaximumCount || _bytes >= query.MaximumBytes;

        public void AddUnless(bool isExpired, MqttMessage message)
        {
            if (!isExpired)
            {
                Messages.Add(message);
                _bytes += RetainedCache.SizeOf(message);
            }
        }
    }
}
