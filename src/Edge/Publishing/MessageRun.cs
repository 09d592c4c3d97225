using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>Consecutive publishes of one connection that go the same way. It lets go of the messages when they are handed over, and holds what the answers need.</summary>
internal abstract class MessageRun(OutstandingPublishes owner) : InboundRun(owner)
{
    private MqttMessage[] _messages = new MqttMessage[1];

    public void Add(MqttMessage message, ushort packetId, int bytes)
    {
        if (Count == _messages.Length)
        {
            Array.Resize(ref _messages, Count * 2);
        }

        _messages[Count] = message;
        var answer = message.QoS switch { 0 => PacketType.Reserved, 1 => PacketType.PubAck, _ => PacketType.PubRec };
        AddEntry(answer, packetId, freesRoom: answer == PacketType.PubAck, bytes);
    }

    /// <summary>The messages, which the run lets go of.</summary>
    protected ArraySegment<MqttMessage> TakeMessages()
    {
        ArraySegment<MqttMessage> messages = new(_messages, 0, Count);
        _messages = [];
        return messages;
    }
}
