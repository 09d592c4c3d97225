namespace OrleansMqtt.Grains;

/// <summary>The references that wait for a session, in order. Grows in segments and gives them back as it empties.</summary>
internal sealed class Mailbox
{
    private const int SegmentSize = 64;
    private Segment? _first;
    private Segment? _last;

    public int Count { get; private set; }

    public MessageReference Peek() => _first!.Items[_first.Head];

    public void Enqueue(MessageReference reference)
    {
        if (_last is null || _last.Tail == SegmentSize)
        {
            Segment segment = new();
            if (_last is null)
            {
                _first = segment;
            }
            else
            {
                _last.Next = segment;
            }

            _last = segment;
        }

        _last.Items[_last.Tail++] = reference;
        Count++;
    }

    public void Dequeue()
    {
        Count--;
        if (++_first!.Head == SegmentSize)
        {
            _first = _first.Next;
            _last = _first is null ? null : _last;
        }
    }

    private sealed class Segment
    {
        public readonly MessageReference[] Items = new MessageReference[SegmentSize];
        public int Head;
        public int Tail;
        public Segment? Next;
    }
}
