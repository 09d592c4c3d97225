namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>A publisher's messages by packet identifier, from PUBLISH to PUBACK or PUBCOMP. Identifiers are used in turn; the table grows up to its limit.</summary>
internal sealed class InFlightMessages(int limit)
{
    private Entry[] _entries = new Entry[Math.Min(limit, 64) + 1];
    private int _last;

    public int Count { get; private set; }

    public int Limit { get; set; } = limit;

    /// <summary>Takes a free identifier; call only while <see cref="Count"/> is below <see cref="Limit"/>.</summary>
    public ushort Add(uint sequence, long ticks)
    {
        if (Count == _entries.Length - 1)
        {
            _last = _entries.Length - 1;
            Array.Resize(ref _entries, Math.Min((_entries.Length - 1) * 2, Limit) + 1);
        }

        do
        {
            _last = _last == _entries.Length - 1 ? 1 : _last + 1;
        }
        while (_entries[_last].InUse);

        _entries[_last] = new Entry { InUse = true, Sequence = sequence, Ticks = ticks };
        Count++;
        return (ushort)_last;
    }

    /// <summary>Marks that the server has taken a QoS 2 message over (PUBREC).</summary>
    public bool TryReceive(ushort packetId)
    {
        if (packetId >= _entries.Length || !_entries[packetId].InUse)
        {
            return false;
        }

        _entries[packetId].Received = true;
        return true;
    }

    public bool TryRemove(ushort packetId, out uint sequence, out long ticks)
    {
        sequence = 0;
        ticks = 0;
        if (packetId >= _entries.Length || !_entries[packetId].InUse)
        {
            return false;
        }

        sequence = _entries[packetId].Sequence;
        ticks = _entries[packetId].Ticks;
        _entries[packetId] = default;
        Count--;
        return true;
    }

    /// <summary>Sequences that the server has not taken over.</summary>
    public IEnumerable<uint> Unacknowledged() => _entries.Where(e => e is { InUse: true, Received: false }).Select(e => e.Sequence);

    private struct Entry
    {
        public bool InUse;
        public bool Received;
        public uint Sequence;
        public long Ticks;
    }
}
