using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>Consecutive QoS 2 publishes and PUBRELs of one connection, on their way to the session partition that keeps their packet identifiers.</summary>
internal sealed class SessionRun(OutstandingPublishes owner, ConnectResult session) : InboundRun(owner)
{
    private InboundQoS2[] _items = new InboundQoS2[1];
    private bool _hasMessages;

    public override RunPaths Path => _hasMessages ? RunPaths.Session : RunPaths.Releases;

    /// <summary>The partition.</summary>
    public int Partition => session.SessionPartition;

    public void AddPublish(MqttMessage message, ushort packetId, int bytes)
    {
        _hasMessages = true;
        Add(message, packetId);
        AddEntry(PacketType.PubRec, packetId, freesRoom: false, bytes);
    }

    public void AddRelease(ushort packetId, bool freesRoom, int bytes)
    {
        Add(null, packetId);
        AddEntry(PacketType.PubComp, packetId, freesRoom, bytes);
    }

    /// <summary>Copies what is to be sent; the run lets go of the messages.</summary>
    public void TakeItems(Span<InboundQoS2> target)
    {
        _items.AsSpan(0, Count).CopyTo(target);
        _items = [];
    }

    public void Settle(ReadOnlySpan<InboundQoS2Outcome> outcomes)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i] == InboundQoS2Outcome.NotStored)
            {
                Refuse(i, "The log does not take it.");
                continue;
            }

            Settle(i, outcomes[i] switch
            {
                InboundQoS2Outcome.Done => EntryOutcome.Done,
                InboundQoS2Outcome.NotFound => EntryOutcome.NotFound,
                _ => EntryOutcome.Unanswered,
            });
        }
    }

    private void Add(MqttMessage? message, ushort packetId)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Count * 2);
        }

        _items[Count] = new InboundQoS2(session.SessionSlot, session.Epoch, packetId, message);
    }
}
