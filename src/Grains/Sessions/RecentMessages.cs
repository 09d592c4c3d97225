namespace OrleansMqtt.Grains;

/// <summary>
/// The newest messages of one partition that were put into mailboxes, so that a client that is only a little slow does not send each reference back to the log.
/// Bounded in number and bytes.
/// </summary>
internal sealed class RecentMessages
{
    private const int Capacity = 4096;
    private const long MaximumBytes = 4 << 20;
    private MqttMessage?[] _ring = [];
    private long _head;
    private long _tail;
    private long _bytes;
    private long _lastFound;

    public void Add(MqttMessage message)
    {
        _ring = _ring.Length == 0 ? new MqttMessage?[Capacity] : _ring;
        if (_tail > _head && _ring[(_tail - 1) % Capacity]!.Offset >= message.Offset)
        {
            return;
        }

        while (_tail - _head == Capacity || (_tail > _head && _bytes + message.Payload.Length > MaximumBytes))
        {
            _bytes -= _ring[_head % Capacity]!.Payload.Length;
            _ring[_head++ % Capacity] = null;
        }

        _ring[_tail++ % Capacity] = message;
        _bytes += message.Payload.Length;
    }

    public MqttMessage? Find(long offset)
    {
        // A mailbox asks for one after the other.
        var next = _lastFound + 1;
        if (next >= _head && next < _tail && _ring[next % Capacity] is { } following && following.Offset == offset)
        {
            _lastFound = next;
            return following;
        }

        var (low, high) = (_head, _tail - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var message = _ring[middle % Capacity]!;
            if (message.Offset == offset)
            {
                _lastFound = middle;
                return message;
            }

            (low, high) = message.Offset < offset ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }
}
