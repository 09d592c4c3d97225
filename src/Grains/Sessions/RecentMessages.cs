namespace OrleansMqtt.Grains;

/// <summary>
/// The newest messages of one partition that were put into mailboxes, so that a client that is only a little slow does not send each reference back to the log. Each is kept until it was
/// taken as often as it was added; bounded in number and bytes.
/// </summary>
internal sealed class RecentMessages
{
    private const int Capacity = 4096;
    private const long MaximumBytes = 4 << 20;
    private Entry[] _ring = [];
    private long _head;
    private long _tail;
    private long _bytes;
    private long _lastTaken;

    /// <summary>Keeps a message for another mailbox.</summary>
    public void Add(MqttMessage message)
    {
        _ring = _ring.Length == 0 ? new Entry[Capacity] : _ring;
        if (_tail > _head)
        {
            ref var last = ref _ring[(_tail - 1) % Capacity];
            if (last.Offset > message.Offset)
            {
                return;
            }

            if (last.Offset == message.Offset)
            {
                Keep(ref last, message);
                return;
            }
        }

        while (_tail - _head == Capacity || (_tail > _head && _bytes + message.Payload.Length > MaximumBytes))
        {
            Release(ref _ring[_head++ % Capacity]);
        }

        ref var entry = ref _ring[_tail++ % Capacity];
        entry = new() { Offset = message.Offset };
        Keep(ref entry, message);
    }

    /// <summary>Takes a message for one of the mailboxes; null when it is not kept.</summary>
    public MqttMessage? Take(long offset)
    {
        // A mailbox asks for one after the other.
        var next = _lastTaken + 1;
        if (next < _head || next >= _tail || _ring[next % Capacity].Offset != offset)
        {
            next = Find(offset);
            if (next < 0)
            {
                return null;
            }
        }

        _lastTaken = next;
        ref var entry = ref _ring[next % Capacity];
        var message = entry.Message;
        if (--entry.Awaited <= 0)
        {
            Release(ref entry);
        }

        return message;
    }

    private void Keep(ref Entry entry, MqttMessage message)
    {
        _bytes += entry.Message is null ? message.Payload.Length : 0;
        entry.Message = message;
        entry.Awaited++;
    }

    private void Release(ref Entry entry)
    {
        _bytes -= entry.Message?.Payload.Length ?? 0;
        entry.Message = null;
    }

    private long Find(long offset)
    {
        var (low, high) = (_head, _tail - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var found = _ring[middle % Capacity].Offset;
            if (found == offset)
            {
                return middle;
            }

            (low, high) = found < offset ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    private struct Entry
    {
        public long Offset;
        public int Awaited;
        public MqttMessage? Message;
    }
}
