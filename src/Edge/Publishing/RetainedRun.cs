using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>Consecutive publishes of one connection that are to be retained, on their way to the partition of the retained topic that they belong to.</summary>
internal sealed class RetainedRun(OutstandingPublishes owner, int partition) : InboundRun(owner)
{
    private MqttMessage[] _messages = new MqttMessage[1];

    public override RunPaths Path => RunPaths.Retained;

    public int Partition => partition;

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

    /// <summary>Copies what is to be sent; the run lets go of the messages.</summary>
    public void TakeMessages(Span<MqttMessage> target)
    {
        _messages.AsSpan(0, Count).CopyTo(target);
        _messages = [];
    }

    public void Settle(ReadOnlySpan<bool> isStored)
    {
        for (var i = 0; i < isStored.Length; i++)
        {
            Settle(i, isStored[i] ? EntryOutcome.Done : EntryOutcome.Failed, isStored[i] ? null : "The log does not take it.");
        }
    }
}
