using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Consecutive publishes of one connection to one topic, on their way to the log. Holds what the answers need, not the messages: those end with the <see cref="PublishBatch"/>.
/// </summary>
internal sealed class PublishRun(OutstandingPublishes owner, PublishTopic topic) : InboundRun(owner), IAppendCompletion
{
    private MqttMessage[] _messages = new MqttMessage[1];

    public override RunPaths Path => RunPaths.Log;

    public PublishTopic Topic => topic;

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

    /// <summary>Makes the batch for the topic's grain; the run lets go of the messages.</summary>
    public PublishBatch TakeBatch()
    {
        IReadOnlyList<MqttMessage> messages = Count == _messages.Length ? _messages : new ArraySegment<MqttMessage>(_messages, 0, Count);
        _messages = [];
        return new PublishBatch { Messages = messages, Completion = this, FirstState = 0 };
    }

    /// <inheritdoc/>
    public void OnAppended(long state, in AppendResult result) => Settle((int)state, result.Error is null ? EntryOutcome.Done : EntryOutcome.Failed, result.Error);
}
