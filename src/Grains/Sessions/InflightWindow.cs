namespace OrleansMqtt.Grains;

/// <summary>
/// What is in flight to a client: sent, or about to be, and not acknowledged. It keeps the packet identifiers ([MQTT-2.2.1-4]) for the life of the session, and counts what was
/// sent on the present connection: in number against the Receive Maximum ([MQTT-3.3.4-9]), and in bytes of payload. Acknowledgements may come in any order.
/// </summary>
internal sealed class InflightWindow
{
    private Dictionary<ushort, InflightMessage>? _messages;
    private int _sent;
    private long _sentBytes;
    private long _lastSequence;

    /// <summary>The packet identifier that was used last.</summary>
    public ushort LastPacketId { get; set; }

    public int Count => _messages?.Count ?? 0;

    /// <summary>The most messages of the present connection, or the last one.</summary>
    public int MaximumCount { get; private set; }

    /// <summary>Their payload.</summary>
    public long MaximumBytes { get; private set; }

    /// <summary>Whether another message may be sent. A message larger than the bound is sent alone.</summary>
    public bool IsOpen => _sent < MaximumCount && _sentBytes < MaximumBytes && Count < ushort.MaxValue;

    /// <summary>How many more messages may be sent, by their number.</summary>
    public int Room => Math.Max(0, Math.Min(MaximumCount - _sent, ushort.MaxValue - Count));

    /// <summary>What is in flight, in the order of sending.</summary>
    public IEnumerable<(ushort PacketId, InflightMessage Message)> InOrder =>
        _messages is null ? [] : _messages.OrderBy(message => message.Value.Sequence).Select(message => (message.Key, message.Value));

    /// <summary>Begins a connection: nothing was sent on it.</summary>
    public void Open(int maximumCount, int maximumBytes)
    {
        (MaximumCount, MaximumBytes, _sent, _sentBytes) = (maximumCount, maximumBytes, 0, 0);
        if (_messages is { Count: > 0 } messages)
        {
            foreach (var packetId in messages.Keys.ToArray())
            {
                messages[packetId] = messages[packetId] with { IsSent = false, Bytes = 0 };
            }
        }
    }

    public InflightMessage? Find(ushort packetId) => _messages is not null && _messages.TryGetValue(packetId, out var message) ? message : null;

    /// <summary>Takes the next free packet identifier, 1 to 65,535.</summary>
    public ushort Add(MessageReference reference, int bytes)
    {
        _messages ??= [];
        do
        {
            LastPacketId = LastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(LastPacketId + 1);
        }
        while (!_messages.TryAdd(LastPacketId, new(reference, bytes, ++_lastSequence, IsSent: true, IsReleased: false)));

        _sent++;
        _sentBytes += bytes;
        return LastPacketId;
    }

    /// <summary>Takes a message that was in flight when the session was stored.</summary>
    public void Load(ushort packetId, MessageReference reference, bool isReleased) =>
        (_messages ??= [])[packetId] = new(reference, 0, ++_lastSequence, IsSent: false, isReleased);

    /// <summary>Takes what was sent on a living connection, of which an earlier owner had the window.</summary>
    public void LoadSent(ushort packetId, MessageReference reference, bool isReleased)
    {
        (_messages ??= [])[packetId] = new(reference, 0, ++_lastSequence, IsSent: true, isReleased);
        _sent++;
    }

    /// <summary>Forgets everything in flight, and returns it in the order of sending.</summary>
    public (ushort PacketId, InflightMessage Message)[] Clear()
    {
        var all = InOrder.ToArray();
        (_messages, _sent, _sentBytes) = (null, 0, 0);
        return all;
    }

    /// <summary>Counts a message that is sent again.</summary>
    public void SendAgain(ushort packetId, int bytes)
    {
        _messages![packetId] = _messages[packetId] with { IsSent = true, Bytes = bytes };
        _sent++;
        _sentBytes += bytes;
    }

    /// <summary>The client has a QoS 2 message: what is left is its PUBREL.</summary>
    public void Release(ushort packetId) => _messages![packetId] = _messages[packetId] with { IsReleased = true };

    /// <summary>Ends a delivery; false for a packet identifier that is not in use.</summary>
    public bool Remove(ushort packetId)
    {
        if (_messages is null || !_messages.Remove(packetId, out var message))
        {
            return false;
        }

        if (message.IsSent)
        {
            _sent--;
            _sentBytes -= message.Bytes;
        }

        return true;
    }
}
