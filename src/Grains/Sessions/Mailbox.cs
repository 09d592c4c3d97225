using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// The references that wait for a session, in order: 16 bytes each. They are numbered from 0 on for the life of the session and kept, and stored, in segments, so that what is
/// stored is appended to and dropped, and never rewritten whole.
/// </summary>
internal sealed class Mailbox
{
    /// <summary>The references of a segment.</summary>
    public const int SegmentSize = 128;

    private Segment? _first;
    private Segment? _last;

    // The last segment when the mailbox was stored: what is newer comes in it, or after it.
    private Segment? _lastStored;

    // References below this number are stored, in the segments from _storedFirst to before _storedEnd.
    private long _storedTail;
    private long _storedFirst;
    private long _storedEnd;
    private long _storedFirstBefore;

    /// <summary>The number of the next reference to be taken out.</summary>
    public long Head { get; private set; }

    /// <summary>The number that the next reference will get.</summary>
    public long Tail { get; private set; }

    public int Count => (int)(Tail - Head);

    /// <summary>Whether the sessions topic holds segments of it.</summary>
    public bool HasStored => _storedEnd > _storedFirst;

    /// <summary>What waits, in order.</summary>
    public IEnumerable<MessageReference> All
    {
        get
        {
            for (var segment = _first; segment is not null; segment = segment.Next)
            {
                for (var i = 0; i < segment.Count; i++)
                {
                    if ((segment.Number * SegmentSize) + i >= Head)
                    {
                        yield return segment.Items[i];
                    }
                }
            }
        }
    }

    public MessageReference Peek() => _first!.Items[(int)(Head % SegmentSize)];

    public void Enqueue(MessageReference reference)
    {
        if (_last is null || Tail % SegmentSize == 0)
        {
            Segment segment = new(Tail / SegmentSize);
            (_first, _last) = _last is null ? (segment, segment) : (_first, _last.Next = segment);
        }

        _last.Add(reference);
        Tail++;
        GrainInstruments.Waiting.Add(1);
    }

    public void Dequeue()
    {
        GrainInstruments.Waiting.Add(-1);
        Head++;
        if (Head == Tail)
        {
            // An empty mailbox takes no memory; what comes next begins a segment.
            (_first, _last, _lastStored) = (null, null, null);
            Head = Tail = (Tail + SegmentSize - 1) / SegmentSize * SegmentSize;
        }
        else if (Head % SegmentSize == 0)
        {
            _lastStored = _lastStored == _first ? null : _lastStored;
            _first = _first!.Next;
        }
    }

    /// <summary>Adds what has to be stored or removed so that the stored segments hold what the mailbox holds now.</summary>
    public void Store(string clientId, string topic, ReadOnlySpan<int> sourceOf, List<StoreRecord> records)
    {
        _storedFirstBefore = _storedFirst;
        RemoveStored(clientId, topic, Head / SegmentSize, records);
        for (var segment = _lastStored ?? _first; segment is not null; segment = segment.Next)
        {
            if ((segment.Number * SegmentSize) + segment.Count > _storedTail)
            {
                records.Add(new(topic, new()
                {
                    Key = SessionKeys.Segment(clientId, segment.Number),
                    Value = MailboxSegmentRecord.Encode(segment.Items.AsSpan(0, segment.Count), sourceOf),
                }));
                _storedEnd = segment.Number + 1;
            }
        }

        (_storedTail, _lastStored) = (Tail, _last);
    }

    /// <summary>What <see cref="Store"/> added last was not stored: it is added again.</summary>
    public void NoteRefused() => (_storedTail, _lastStored, _storedFirst) = (0, null, Math.Min(_storedFirst, _storedFirstBefore));

    /// <summary>Adds what removes all stored segments.</summary>
    public void RemoveStored(string clientId, string topic, List<StoreRecord> records) => RemoveStored(clientId, topic, long.MaxValue, records);

    /// <summary>Takes a stored segment, in their order. References below the head are passed over.</summary>
    public void Load(long number, ReadOnlySpan<MessageReference> references)
    {
        var before = Count;
        Segment segment = new(number);
        foreach (var reference in references)
        {
            segment.Add(reference);
        }

        (_first, _last) = _last is null ? (segment, segment) : (_first, _last.Next = segment);
        _storedFirst = _storedEnd == 0 ? number : _storedFirst;
        _storedEnd = number + 1;
        _storedTail = Tail = (number * SegmentSize) + references.Length;
        GrainInstruments.Waiting.Add(Count - before);
    }

    /// <summary>Sets, after all segments are loaded, what was taken out of them.</summary>
    public void SetHead(long head)
    {
        var before = Count;
        Head = head;
        while (_first is not null && (_first.Number * SegmentSize) + _first.Count <= head)
        {
            _first = _first.Next;
        }

        if (_first is null)
        {
            _last = null;
            Head = Tail = (Math.Max(head, Tail) + SegmentSize - 1) / SegmentSize * SegmentSize;
        }
        else
        {
            // A segment that is missing was dropped whole.
            Head = Math.Max(head, _first.Number * SegmentSize);
        }

        GrainInstruments.Waiting.Add(Count - before);
    }

    private void RemoveStored(string clientId, string topic, long before, List<StoreRecord> records)
    {
        for (; _storedFirst < Math.Min(before, _storedEnd); _storedFirst++)
        {
            records.Add(new(topic, new() { Key = SessionKeys.Segment(clientId, _storedFirst), Value = null }));
        }

        _storedFirst = Math.Max(_storedFirst, Math.Min(before, Tail / SegmentSize));
    }

    private sealed class Segment(long number)
    {
        public long Number => number;

        public MessageReference[] Items { get; private set; } = [];

        public int Count { get; private set; }

        public Segment? Next { get; set; }

        public void Add(MessageReference reference)
        {
            if (Count == Items.Length)
            {
                // Most mailboxes hold little.
                MessageReference[] items = new MessageReference[Math.Clamp(Count * 4, 4, SegmentSize)];
                Items.CopyTo(items, 0);
                Items = items;
            }

            Items[Count++] = reference;
        }
    }
}
