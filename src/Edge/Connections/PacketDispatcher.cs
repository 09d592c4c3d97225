using System.Buffers;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// Takes packets out of what was received: answers what needs no grain at once, gathers consecutive publishes to one topic into runs, and returns what the grains are to do.
/// </summary>
internal sealed class PacketDispatcher(MqttConnection connection, EdgeContext context)
{
    private readonly RunBuilder _runs = new(connection, context);
    private long _bytes;
    private int _packets;

    /// <summary>
    /// Takes packets until the grains are needed: returns an <see cref="InboundRun"/>, a <see cref="SubscribePacket"/> or an <see cref="UnsubscribePacket"/>; null when no
    /// whole packet is left, or the client has disconnected.
    /// </summary>
    /// <exception cref="MqttProtocolException">A packet ends the connection.</exception>
    public object? TakeNext(ref ReadOnlySequence<byte> buffer)
    {
        while (!connection.IsClosing && FrameHeader.TryRead(buffer, context.Options.MaximumPacketSize, connection.Version, out var header) && buffer.Length >= header.Length)
        {
            // What is gathered goes first; the packet is taken at the next call.
            if (header.Type is not (PacketType.Publish or PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp or PacketType.PingReq)
                && _runs.Take() is { } gathered)
            {
                return gathered;
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
            _packets++;
            buffer = buffer.Slice(header.Length);
            if (operation is not null)
            {
                return operation;
            }
        }

        return _runs.Take();
    }

    /// <summary>What is gathered so far.</summary>
    public InboundRun? TakeRun() => _runs.Take();

    /// <summary>Adds what was taken since the last call to the metrics.</summary>
    public void CountReceived()
    {
        if (_bytes > 0)
        {
            context.Metrics.Received(_bytes, _packets, _runs.TakePayloadBytes(), _runs.TakeCounts());
            (_bytes, _packets) = (0, 0);
        }
    }

    private object? Dispatch(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        switch (header.Type)
        {
            case PacketType.Publish:
                return _runs.AddPublish(header, body);
            case PacketType.PubAck:
                Acknowledge(PacketType.PubAck, AcknowledgementKind.PubAck, body);
                return null;
            case PacketType.PubRec:
                Acknowledge(PacketType.PubRec, AcknowledgementKind.PubRec, body);
                return null;
            case PacketType.PubComp:
                Acknowledge(PacketType.PubComp, AcknowledgementKind.PubComp, body);
                return null;
            case PacketType.PubRel:
                return _runs.AddRelease(header, body);
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
            case PacketType.Auth when connection.Version != ProtocolVersion.Mqtt5:
                MqttProtocolException.ThrowMalformed("Packet type 15 is reserved.");
                break;
            case PacketType.Auth when connection.Authentication is { } authentication:
                authentication.Take(AuthPacket.Read(body));
                return null;
            case PacketType.Auth:
                MqttProtocolException.ThrowProtocolError("AUTH was received, but CONNECT named no authentication method.");
                break;
            default:
                MqttProtocolException.ThrowProtocolError($"A client may not send {header.Type}.");
                break;
        }

        return null;
    }

    private void Acknowledge(PacketType type, AcknowledgementKind kind, ReadOnlySpan<byte> body)
    {
        var packet = AcknowledgementPacket.Read(type, body, connection.Version);
        connection.Acknowledge(packet.PacketId, kind, packet.ReasonCode);
    }

    private void Disconnect(in DisconnectPacket packet)
    {
        // MQTT 5, 3.14.2.2.2.
        if (packet.SessionExpiryInterval > 0 && !connection.HasSessionExpiry)
        {
            MqttProtocolException.ThrowProtocolError("DISCONNECT has a Session Expiry Interval, but CONNECT had none.");
        }

        connection.Close(CloseReason.ByClient with
        {
            Cause = packet.ReasonCode == 0 ? DisconnectCause.Normal : DisconnectCause.ByClientWithReason,
            SessionExpirySeconds = packet.SessionExpiryInterval,
        });
    }
}
