using System.Buffers;
using System.Diagnostics;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// Takes packets out of what was received: answers what needs no grain at once, gathers consecutive publishes to one topic into runs, and returns what the grains are to do.
/// </summary>
internal sealed class PacketDispatcher(MqttConnection connection, EdgeContext context)
{
    /// <summary>What a publish costs beside its bytes, for the credits.</summary>
    private const int PublishOverhead = 128;

    /// <summary>One run in this many is measured.</summary>
    private const int LatencySample = 64;

    private PublishRun? _run;
    private int _runs;
    private int _qos0;
    private int _qos1;
    private long _bytes;

    /// <summary>
    /// Takes packets until the grains are needed: returns a <see cref="PublishRun"/>, a <see cref="SubscribePacket"/> or an <see cref="UnsubscribePacket"/>; null when no
    /// whole packet is left, or the client has disconnected.
    /// </summary>
    /// <exception cref="MqttProtocolException">A packet ends the connection.</exception>
    public object? TakeNext(ref ReadOnlySequence<byte> buffer)
    {
        while (!connection.IsClosing && FrameHeader.TryRead(buffer, context.Options.MaximumPacketSize, out var header) && buffer.Length >= header.Length)
        {
            // What is gathered goes first; the packet is taken at the next call.
            if (_run is not null && header.Type is not (PacketType.Publish or PacketType.PubAck or PacketType.PingReq))
            {
                return TakeRun();
            }

            var body = buffer.Slice(header.HeaderLength, header.BodyLength);
            object? operation;
            if (body.IsSingleSegment)
            {
                operation = Dispatch(header, body.FirstSpan);
            }
            else
            {
                var rented = ArrayPool<byte>.Shared.Rent(header.BodyLength);
                try
                {
                    body.CopyTo(rented);
                    operation = Dispatch(header, rented.AsSpan(0, header.BodyLength));
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(rented);
                }
            }

            _bytes += header.Length;
            buffer = buffer.Slice(header.Length);
            if (operation is not null)
            {
                return operation;
            }
        }

        return TakeRun();
    }

    /// <summary>The publishes gathered so far.</summary>
    public PublishRun? TakeRun()
    {
        var run = _run;
        _run = null;
        return run;
    }

    /// <summary>Adds what was taken since the last call to the metrics.</summary>
    public void CountReceived()
    {
        if (_bytes > 0)
        {
            context.Metrics.Received(_bytes, _qos0, _qos1);
            _bytes = _qos0 = _qos1 = 0;
        }
    }

    private object? Dispatch(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        switch (header.Type)
        {
            case PacketType.Publish:
                return AddPublish(header, body);
            case PacketType.PubAck:
                var acknowledgement = PubAckPacket.Read(body, connection.Version);
                connection.Acknowledge(acknowledgement.PacketId, AcknowledgementKind.PubAck, acknowledgement.ReasonCode);
                return null;
            case PacketType.PingReq:
                new PacketReader(body).ExpectEnd();
                connection.Output.Send(PacketWriter.PingResp);
                return null;
            case PacketType.Subscribe:
                return SubscribePacket.Read(body, connection.Version, context.Features);
            case PacketType.Unsubscribe:
                return UnsubscribePacket.Read(body, connection.Version);
            case PacketType.Disconnect:
                Disconnect(DisconnectPacket.Read(body, connection.Version));
                return null;
            case PacketType.Connect:
                MqttProtocolException.ThrowProtocolError("A second CONNECT was received.");
                break;
            case PacketType.Auth when connection.Version == ProtocolVersion.Mqtt311:
                MqttProtocolException.ThrowMalformed("Packet type 15 is reserved.");
                break;
            case PacketType.Auth:
                MqttProtocolException.ThrowProtocolError("AUTH was received, but CONNECT named no authentication method.");
                break;
            case PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                MqttProtocolException.ThrowProtocolError($"{header.Type} was received, but there is no QoS 2 message.");
                break;
            default:
                MqttProtocolException.ThrowProtocolError($"A client may not send {header.Type}.");
                break;
        }

        return null;
    }

    /// <summary>Adds a publish to the run, or begins a new run and returns the one before.</summary>
    private PublishRun? AddPublish(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        var packet = PublishPacket.Read(header.Flags, body, connection.Version);
        CheckFeatures(packet);
        var topic = _run is { } current && packet.Topic.SequenceEqual(current.Topic.Utf8) ? current.Topic : context.Topics.Get(packet.Topic);
        var publishes = connection.GetPublishes();
        if (packet.QoS == 0)
        {
            _qos0++;
        }
        else
        {
            _qos1++;
            if (!publishes.TryCountReceived(connection.Version == ProtocolVersion.Mqtt5 ? context.Options.ReceiveMaximum : int.MaxValue))
            {
                throw new MqttProtocolException(
                    ReasonCode.ReceiveMaximumExceeded, $"More than {context.Options.ReceiveMaximum} publishes are unacknowledged (Receive Maximum).");
            }
        }

        PublishRun? completed = null;
        var bytes = header.Length + PublishOverhead;
        if (_run is not { } run || run.Topic != topic || run.Count == PublishRun.MaximumCount || run.Bytes + bytes > context.Options.ConnectionPublishBytes)
        {
            completed = _run;
            _run = run = new PublishRun(publishes, topic) { StartTimestamp = _runs++ % LatencySample == 0 ? Stopwatch.GetTimestamp() : 0 };
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
        run.Add(message, packet.PacketId, bytes);
        return completed;
    }

    private void CheckFeatures(in PublishPacket packet)
    {
        if (packet.QoS > context.Features.MaximumQoS)
        {
            throw new MqttProtocolException(ReasonCode.QoSNotSupported, "QoS 2 is not available.");
        }

        if (packet.Retain && !context.Features.Retain)
        {
            throw new MqttProtocolException(ReasonCode.RetainNotSupported, "Retained messages are not available.");
        }
    }

    private void Disconnect(in DisconnectPacket packet)
    {
        // MQTT 5, 3.14.2.2.2.
        if (packet.SessionExpiryInterval > 0 && !connection.HasSessionExpiry)
        {
            MqttProtocolException.ThrowProtocolError("DISCONNECT has a Session Expiry Interval, but CONNECT had none.");
        }

        connection.Close(packet.ReasonCode == 0 ? CloseReason.ByClient : CloseReason.ByClient with { Cause = DisconnectCause.ByClientWithReason });
    }
}
