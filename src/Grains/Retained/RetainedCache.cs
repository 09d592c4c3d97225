namespace OrleansMqtt.Grains;

/// <summary>Retained messages that were read back from the log of late, by offset. Bounded in number and bytes; the oldest goes first.</summary>
internal sealed class RetainedCache
{
    private const int MaximumCount = 16_384;
    private const long MaximumBytes = 4 << 20;
    private readonly Dictionary<long, MqttMessage> _messages = [];
    private readonly Queue<MqttMessage> _order = new();
    private long _bytes;

    public MqttMessage? Find(long offset) => _messages.GetValueOrDefault(offset);

    public void Add(MqttMessage message)
    {
        if (!_messages.TryAdd(message.Offset, message))
        {
            return;
        }

        _order.Enqueue(message);
        _bytes += SizeOf(message);
        while (_order.Count > MaximumCount || (_bytes > MaximumBytes && _order.Count > 1))
        {
            var oldest = _order.Dequeue();
            _messages.Remove(oldest.Offset);
            _bytes -= SizeOf(oldest);
        }
    }

    public static int SizeOf(MqttMessage message) => message.Payload.Length + (2 * message.Topic.Length) + 160;
}
