namespace OrleansMqtt.Grains;

/// <summary>
/// What was sent to a client and is not acknowledged: its packet identifiers, bounded in number by the Receive Maximum ([MQTT-3.3.4-9]) and in bytes of payload.
/// Acknowledgements may come in any order.
/// </summary>
internal sealed class InflightWindow(int maximumCount, int maximumBytes)
{
    private Dictionary<ushort, InflightMessage>? _messages;
    private ushort _lastPacketId;
    private long _bytes;

    public int Count => _messages?.Count ?? 0;

    /// <summary>Whether another message may be sent. A message larger than the bound is sent alone.</summary>
    public bool IsOpen => Count < maximumCount && _bytes < maximumBytes;

    /// <summary>Takes the next free packet identifier, 1 to 65,535 ([MQTT-2.2.1-4]).</summary>
    public ushort Add(MessageReference reference, int bytes)
    {
        _messages ??= [];
        do
        {
            _lastPacketId = _lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastPacketId + 1);
        }
        while (!_messages.TryAdd(_lastPacketId, new(reference, bytes)));

        _bytes += bytes;
        return _lastPacketId;
    }

    /// <summary>Ends a delivery; false for a packet identifier that is not in use.</summary>
    public bool Remove(ushort packetId)
    {
        if (_messages is null || !_messages.Remove(packetId, out var message))
        {
            return false;
        }

        _bytes -= message.Bytes;
        return true;
    }

    private readonly record struct InflightMessage(MessageReference Reference, int Bytes);
}
