using OrleansMqtt.LoadGenerator.Measuring;
using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>A client with one subscription: acknowledges, measures, and follows the sequence of each publisher.</summary>
internal sealed class Subscriber(Worker worker, string clientId, int index, SessionUse use = SessionUse.None) : Connection(worker, clientId)
{
    private const uint SessionExpirySeconds = 24 * 3600;

    private readonly SequenceTracker[] _trackers = new SequenceTracker[worker.Context.Settings.Scenario switch
    {
        Scenario.P2p or Scenario.Offline => 1,
        Scenario.Shared => 0,
        _ => worker.Context.Settings.Publishers,
    }];
    private readonly uint _firstPublisher = worker.Context.Settings.Scenario is Scenario.P2p or Scenario.Offline ? (uint)index : 0;
    private readonly uint[] _nextOf = new uint[worker.Context.Group.Length];
    private readonly long[] _unreleased = worker.Context.Settings.SubscribeQualityOfService == 2 ? new long[1024] : [];

    private long _late;

    public int Index { get; } = index;

    protected override string? Filter => use == SessionUse.Resume ? null : Settings.FilterOf(Index);

    /// <summary>The tracker of a publisher; null when its messages are not for this subscriber.</summary>
    public SequenceTracker? TrackerOf(int publisher)
    {
        long at = publisher - (long)_firstPublisher;
        return at >= 0 && at < _trackers.Length ? _trackers[at] : null;
    }

    public (long Duplicates, long OutOfOrder) Irregularities()
    {
        long duplicates = 0;
        long outOfOrder = _late;
        foreach (ref var tracker in _trackers.AsSpan())
        {
            duplicates += tracker.Duplicates;
            outOfOrder += tracker.OutOfOrder;
        }

        return (duplicates, outOfOrder);
    }

    protected override ConnectOptions Configure(ConnectOptions options) =>
        use == SessionUse.None ? options : options with { CleanStart = false, SessionExpiry = SessionExpirySeconds };

    protected override void OnConnAck(in ConnAck connAck)
    {
        if (use == SessionUse.Resume && !connAck.SessionPresent)
        {
            Fail("the server does not know the session any more", ExitCodes.PromiseBroken);
        }
    }

    protected override void OnPacket(PacketType type, byte first, ReadOnlySpan<byte> body, long now)
    {
        switch (type)
        {
            case PacketType.Publish:
                var publish = ReceivedPublish.Read(first, body, Settings.Protocol);
                if (publish.QualityOfService == 1)
                {
                    Acknowledge(PacketType.PubAck, publish.PacketId);
                }
                else if (publish.QualityOfService == 2)
                {
                    Acknowledge(PacketType.PubRec, publish.PacketId);
                    ref long word = ref _unreleased[publish.PacketId >> 6];
                    long bit = 1L << (publish.PacketId & 63);
                    if ((word & bit) != 0)
                    {
                        Worker.Counters.Redelivered++;
                        return;
                    }

                    word |= bit;
                }

                Receive(publish.Payload, now);
                break;
            case PacketType.PubRel when _unreleased.Length > 0:
                ushort packetId = PacketReader.ReadAcknowledgement(body).PacketId;
                _unreleased[packetId >> 6] &= ~(1L << (packetId & 63));
                Acknowledge(PacketType.PubComp, packetId);
                break;
            default:
                base.OnPacket(type, first, body, now);
                break;
        }
    }

    private void Receive(ReadOnlySpan<byte> payload, long now)
    {
        var counters = Worker.Counters;
        if (payload.Length != Settings.PayloadLength)
        {
            counters.Foreign++;
            return;
        }

        var header = MessageHeader.Read(payload);
        uint at = header.Publisher - _firstPublisher;
        if (at >= (uint)Math.Max(_trackers.Length, _nextOf.Length))
        {
            counters.Foreign++;
            return;
        }

        if (_nextOf.Length > 0 ? !ReceiveShared(at, header.Sequence) : !_trackers[at].Receive(header.Sequence))
        {
            return;
        }

        counters.Delivered++;
        counters.Progress.Record(now - header.Ticks);
        if (Worker.Context.Clock.Measures(header.Ticks))
        {
            counters.EndToEnd.Record(now - header.Ticks);
        }

        Worker.OnDelivered(header.Publisher);
    }

    /// <summary>Missing and repeated are counted for the group; what comes after a later message of the same publisher is late for this member.</summary>
    private bool ReceiveShared(uint publisher, uint sequence)
    {
        if (!Worker.Context.Group[publisher].Receive(sequence))
        {
            return false;
        }

        if (sequence < _nextOf[publisher])
        {
            _late++;
        }
        else
        {
            _nextOf[publisher] = sequence + 1;
        }

        return true;
    }
}
