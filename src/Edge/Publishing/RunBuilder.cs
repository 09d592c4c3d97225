using System.Diagnostics;
using System.Text.Unicode;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>Gathers consecutive publishes, and PUBRELs, of one connection into runs. Used by the reading loop only.</summary>
internal sealed class RunBuilder(MqttConnection connection, EdgeContext context)
{
    /// <summary>What a packet costs beside its bytes, for the credits.</summary>
    private const int Overhead = 128;

    /// <summary>One run in this many is measured.</summary>
    private const int LatencySample = 64;

    private readonly int _receiveMaximum = connection.Version == ProtocolVersion.Mqtt5 ? context.Options.ReceiveMaximum : int.MaxValue;
    private ReceivedQoS2? _received;
    private IncomingTopicAliases? _aliases;
    private InboundRun? _run;
    private QoSCounts _counts;
    private long _payloadBytes;
    private long _answers;
    private int _runs;

    /// <summary>The run gathered so far.</summary>
    public InboundRun? Take()
    {
        var run = _run;
        _run = null;
        return run;
    }

    /// <summary>How many messages came since the last call.</summary>
    public QoSCounts TakeCounts()
    {
        var counts = _counts;
        _counts = default;
        return counts;
    }

    /// <summary>How many bytes of payload came since the last call.</summary>
    public long TakePayloadBytes()
    {
        var bytes = _payloadBytes;
        _payloadBytes = 0;
        return bytes;
    }

    /// <summary>Adds a PUBLISH to the run, or begins a new run and returns the one before.</summary>
    public InboundRun? AddPublish(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        var packet = PublishPacket.Read(header.Flags, body, connection.Version);
        if (packet.Retain && !context.Features.Retain)
        {
            throw new MqttProtocolException(ReasonCode.RetainNotSupported, "Retained messages are not available.");
        }

        if (packet.QoS > context.Features.MaximumQoS)
        {
            throw new MqttProtocolException(ReasonCode.QoSNotSupported, $"A PUBLISH has QoS {packet.QoS}: Maximum QoS is {context.Features.MaximumQoS}.");
        }

        var topic = GetTopic(packet);
        var publishes = connection.GetPublishes();
        var bytes = header.Length + Overhead;
        if (context.Options.ValidatePayloadFormat && packet.Properties is { IsText: true } && !Utf8.IsValid(packet.Payload))
        {
            return Refuse(publishes, packet);
        }

        _payloadBytes += packet.Payload.Length;
        if (topic.IsSystem)
        {
            return RefuseSystem(publishes, packet);
        }

        if (packet.QoS < 2 || TryReceive(publishes, packet.PacketId))
        {
            CountReceived(publishes, packet.QoS);
        }
        else if (!connection.IsSessionStored)
        {
            // Sent again: it is not stored again, and answered after the first.
            return AddAnswer(publishes, PacketType.PubRec, packet.PacketId, EntryOutcome.Done);
        }

        var message = new MqttMessage
        {
            Topic = topic.Name,
            Payload = packet.Payload.IsEmpty ? default : packet.Payload.ToArray(),
            QoS = packet.QoS,
            Retain = packet.Retain,
            PublisherClientId = connection.ClientId,
            TimestampMilliseconds = context.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            Properties = packet.Properties,
        };
        _answers++;
        InboundRun? completed = null;
        if (packet.QoS == 2 && connection.IsSessionStored)
        {
            ContinueSession(publishes, bytes, ref completed).AddPublish(message, packet.PacketId, bytes);
            return completed;
        }

        if (packet.Retain)
        {
            ContinueRetained(publishes, topic.RetainedPartition, bytes, ref completed).Add(message, packet.PacketId, bytes);
            return completed;
        }

        if (_run is not PublishRun run || run.Topic != topic || !HasRoom(run, bytes))
        {
            completed = Begin(run = new PublishRun(publishes, topic) { StartTimestamp = SampleStart() });
        }

        run.Add(message, packet.PacketId, bytes);
        return completed;
    }

    /// <summary>Answers a PUBREL, or adds it to the run and returns the one before if it began a new one.</summary>
    public InboundRun? AddRelease(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        var packetId = AcknowledgementPacket.Read(PacketType.PubRel, body, connection.Version).PacketId;
        var publishes = connection.GetPublishes();
        long answer = 0;
        var isKnown = (_received?.TryRemove(packetId, out answer) ?? false) && !publishes.TryForgetRefused(packetId);
        if (connection.IsSessionStored)
        {
            InboundRun? completed = null;
            var bytes = header.Length + Overhead;
            ContinueSession(publishes, bytes, ref completed).AddRelease(packetId, isKnown, bytes);
            _answers++;
            return completed;
        }

        if (isKnown && answer >= publishes.Answered)
        {
            // The client did not wait for PUBREC: PUBCOMP may not promise before the message is stored.
            return AddAnswer(publishes, PacketType.PubComp, packetId, EntryOutcome.Done);
        }

        if (isKnown)
        {
            publishes.FreeRoom();
        }

        connection.Output.SendAcknowledgement(PacketType.PubComp, packetId, isKnown ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);
        return null;
    }

    private PublishTopic GetTopic(in PublishPacket packet)
    {
        if (packet.TopicAlias is { } alias)
        {
            return (_aliases ??= new(context.Features.TopicAliasMaximum)).Resolve(alias, packet.Topic, context.Topics);
        }

        return _run is PublishRun current && packet.Topic.SequenceEqual(current.Topic.Utf8) ? current.Topic : context.Topics.Get(packet.Topic);
    }

    /// <summary>Remembers the identifier of a QoS 2 message; false when it is known, and its PUBREC was none that refused the message, which ended the exchange.</summary>
    private bool TryReceive(OutstandingPublishes publishes, ushort packetId)
    {
        _received ??= new();
        return _received.TryAdd(packetId, _answers)
            || (publishes.TryForgetRefused(packetId) && _received.TryRemove(packetId, out _) && _received.TryAdd(packetId, _answers));
    }

    private void CountReceived(OutstandingPublishes publishes, byte qos)
    {
        _counts[qos]++;
        if (qos > 0 && !publishes.TryCountReceived(_receiveMaximum))
        {
            throw new MqttProtocolException(ReasonCode.ReceiveMaximumExceeded, $"More than {_receiveMaximum} publishes are unacknowledged (Receive Maximum).");
        }
    }

    /// <summary>Answers a PUBLISH whose payload is not UTF-8 as it says; at QoS 0 there is no answer but the end (MQTT 5, 3.3.2.3.2).</summary>
    private InboundRun? Refuse(OutstandingPublishes publishes, in PublishPacket packet)
    {
        if (packet.QoS == 0)
        {
            throw new MqttProtocolException(ReasonCode.PayloadFormatInvalid, "A payload is not UTF-8, which its Payload Format Indicator promises.");
        }

        CountReceived(publishes, packet.QoS);
        return AddAnswer(publishes, packet.QoS == 1 ? PacketType.PubAck : PacketType.PubRec, packet.PacketId, EntryOutcome.PayloadFormatInvalid);
    }

    /// <summary>Drops a message to one of the server's topics. MQTT 3.1.1 has no answer for that but the one that it is taken ([MQTT-3.3.5-2] there).</summary>
    private InboundRun? RefuseSystem(OutstandingPublishes publishes, in PublishPacket packet)
    {
        if (packet.QoS == 0)
        {
            _counts[0]++;
            return null;
        }

        // It frees its room with this answer in every version: a PUBREL that follows in 3.1.1 is one of an unknown packet identifier.
        CountReceived(publishes, packet.QoS);
        return AddAnswer(publishes, packet.QoS == 1 ? PacketType.PubAck : PacketType.PubRec, packet.PacketId, EntryOutcome.NotAuthorized);
    }

    private InboundRun? AddAnswer(OutstandingPublishes publishes, PacketType answer, ushort packetId, EntryOutcome outcome)
    {
        InboundRun? completed = null;
        if (_run is not AnswerRun run || run.Outcome != outcome || !HasRoom(run, Overhead))
        {
            completed = Begin(run = new AnswerRun(publishes, outcome));
        }

        run.Add(answer, packetId, Overhead);
        _answers++;
        return completed;
    }

    private SessionRun ContinueSession(OutstandingPublishes publishes, int bytes, ref InboundRun? completed)
    {
        if (_run is not SessionRun run || !HasRoom(run, bytes))
        {
            completed = Begin(run = new SessionRun(publishes, connection.Session) { StartTimestamp = SampleStart() });
        }

        return run;
    }

    private RetainedRun ContinueRetained(OutstandingPublishes publishes, int partition, int bytes, ref InboundRun? completed)
    {
        if (_run is not RetainedRun run || run.Partition != partition || !HasRoom(run, bytes))
        {
            completed = Begin(run = new RetainedRun(publishes, partition) { StartTimestamp = SampleStart() });
        }

        return run;
    }

    private bool HasRoom(InboundRun run, int bytes) => run.Count < InboundRun.MaximumCount && run.Bytes + bytes <= context.Options.ConnectionPublishBytes;

    /// <summary>Returns the run before.</summary>
    private InboundRun? Begin(InboundRun run)
    {
        var completed = _run;
        _run = run;
        return completed;
    }

    private long SampleStart() => _runs++ % LatencySample == 0 ? Stopwatch.GetTimestamp() : 0;
}
