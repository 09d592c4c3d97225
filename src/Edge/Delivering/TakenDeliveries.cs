namespace OrleansMqtt.Edge.Delivering;

/// <summary>
/// What a connection has taken from the owner of its session: what its client has not acknowledged, and how far it came in each source. It is what another owner goes on from.
/// Deliveries are noted by one thread at a time (<see cref="DeliveryReceiver"/>), acknowledgements by any.
/// </summary>
/// <param name="generation">The owner's generation.</param>
internal sealed class TakenDeliveries(long generation)
{
    private readonly Lock _gate = new();
    private long _generation = generation;
    private UnacknowledgedDelivery[] _inflight = [];
    private int _first;
    private int _end;
    private int _count;
    private ushort _lastPacketId;
    private (int Source, long Offset, long OffsetOfQoS0)[] _sources = [];

    /// <summary>Notes a delivery that was taken.</summary>
    public void Add(in Delivery delivery, MqttMessage message)
    {
        if (delivery.Source >= 0)
        {
            NoteSource(delivery.Source, message.Offset, delivery.QoS == 0);
        }

        if (delivery.QoS > 0)
        {
            lock (_gate)
            {
                _lastPacketId = delivery.PacketId;
                Append(new(delivery.PacketId, delivery.Source, message.Offset, delivery.QoS, delivery.IsRetained, DeliveryStep.Sent));
            }
        }
    }

    /// <summary>Notes a PUBREL that was taken.</summary>
    public void AddRelease(in Delivery delivery)
    {
        var isEnd = delivery.QoS >= (byte)Protocol.ReasonCode.UnspecifiedError;
        lock (_gate)
        {
            var index = Find(delivery.PacketId);
            if (isEnd)
            {
                Remove(index);
            }
            else if (index >= 0)
            {
                _inflight[index] = _inflight[index] with { Step = DeliveryStep.Released };
            }
            else
            {
                Append(new(delivery.PacketId, Delivery.NoSource, Offset: 0, QoS: 2, IsRetained: false, DeliveryStep.Released));
            }
        }
    }

    /// <summary>Notes an acknowledgement of the client; returns the generation of the owner that is to hear of it, and how many deliveries were unacknowledged before.</summary>
    public (long Generation, int Unacknowledged) Acknowledge(ushort packetId, AcknowledgementKind kind, byte reasonCode)
    {
        lock (_gate)
        {
            var unacknowledged = _count;
            var index = Find(packetId);
            if (index >= 0)
            {
                var (qos, step) = (_inflight[index].QoS, _inflight[index].Step);
                if (kind == AcknowledgementKind.PubRec && reasonCode < (byte)Protocol.ReasonCode.UnspecifiedError)
                {
                    if (qos == 2 && step == DeliveryStep.Sent)
                    {
                        _inflight[index] = _inflight[index] with { Step = DeliveryStep.Received };
                    }
                }
                else if (kind switch
                {
                    AcknowledgementKind.PubAck => qos == 1,
                    AcknowledgementKind.PubRec => qos == 2 && step == DeliveryStep.Sent,
                    AcknowledgementKind.PubComp => step == DeliveryStep.Released,
                    AcknowledgementKind.NotSent => step == DeliveryStep.Sent,
                    _ => false,
                })
                {
                    Remove(index);
                }
            }

            return (_generation, unacknowledged);
        }
    }

    /// <summary>Hands over to the owner of that generation: what is acknowledged from now on is for it.</summary>
    public (UnacknowledgedDelivery[] Unacknowledged, SourceOffset[] Taken, SourceOffset[] TakenQoS0, ushort LastPacketId) HandOver(long generation)
    {
        lock (_gate)
        {
            _generation = generation;
            return (
                [.. _inflight[_first.._end].Where(static delivery => delivery.PacketId != 0)],
                [.. _sources.Where(static each => each.Offset >= 0).Select(static each => new SourceOffset(each.Source, each.Offset))],
                [.. _sources.Where(static each => each.OffsetOfQoS0 >= 0).Select(static each => new SourceOffset(each.Source, each.OffsetOfQoS0))],
                _lastPacketId);
        }
    }

    private void NoteSource(int source, long offset, bool isQoS0)
    {
        // Most clients get messages of few partitions.
        var index = 0;
        while (index < _sources.Length && _sources[index].Source != source)
        {
            index++;
        }

        if (index == _sources.Length)
        {
            Array.Resize(ref _sources, index + 1);
            _sources[index] = (source, -1, -1);
        }

        ref var each = ref _sources[index];
        if (isQoS0)
        {
            each.OffsetOfQoS0 = Math.Max(each.OffsetOfQoS0, offset);
        }
        else
        {
            each.Offset = Math.Max(each.Offset, offset);
        }
    }

    private void Append(in UnacknowledgedDelivery delivery)
    {
        if (_end == _inflight.Length)
        {
            var count = _end - _first;
            var target = count > _inflight.Length / 2 || _inflight.Length == 0 ? new UnacknowledgedDelivery[Math.Max(4, _inflight.Length * 2)] : _inflight;
            Array.Copy(_inflight, _first, target, 0, count);
            (_inflight, _first, _end) = (target, 0, count);
        }

        _inflight[_end++] = delivery;
        _count++;
    }

    /// <summary>Clients acknowledge in order as a rule, so it is the first that is looked at.</summary>
    private int Find(ushort packetId)
    {
        for (var i = _first; i < _end; i++)
        {
            if (_inflight[i].PacketId == packetId)
            {
                return i;
            }
        }

        return -1;
    }

    private void Remove(int index)
    {
        if (index < 0)
        {
            return;
        }

        _inflight[index] = default;
        _count--;
        while (_first < _end && _inflight[_first].PacketId == 0)
        {
            _first++;
        }

        if (_first == _end)
        {
            (_first, _end) = (0, 0);
        }
    }
}
