using System.Buffers;
using System.IO.Pipelines;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

/// <summary>The beginning of a connection: reads CONNECT, asks for the session, and makes CONNACK. What is known of the client stays known when it is refused.</summary>
internal sealed class ConnectExchange(MqttConnection connection, EdgeContext context, PipeReader input)
{
    private ConnectPacket? _packet;
    private bool _hasOwnId;

    /// <summary>The version to answer in; not set when nothing is answered.</summary>
    public ProtocolVersion Version { get; private set; }

    public string ClientId { get; private set; } = "";

    /// <summary>The Keep Alive that counts, in seconds; 0 is none.</summary>
    public ushort KeepAlive { get; private set; }

    /// <summary>The greatest packet that the client takes.</summary>
    public uint ClientMaximumPacketSize => _packet?.MaximumPacketSize ?? uint.MaxValue;

    /// <summary>Whether CONNECT asked for a session that outlives the connection.</summary>
    public bool HasSessionExpiry => _packet is { SessionExpiryInterval: > 0 };

    /// <summary>Reads CONNECT; false when the connection is closing.</summary>
    /// <exception cref="MqttProtocolException">The client is refused.</exception>
    public async ValueTask<bool> ReadAsync()
    {
        while (true)
        {
            var result = await input.ReadAsync();
            if (connection.IsClosing)
            {
                return false;
            }

            var buffer = result.Buffer;
            var consumed = buffer.Start;
            try
            {
                if (TryRead(buffer, out var length))
                {
                    consumed = buffer.GetPosition(length);
                    return true;
                }
            }
            finally
            {
                // All is examined only when the packet is not complete: what follows CONNECT must be read at once.
                input.AdvanceTo(consumed, consumed.Equals(buffer.Start) ? buffer.End : consumed);
            }

            if (result.IsCompleted)
            {
                connection.Close(CloseReason.Lost("The connection was closed before CONNECT."));
                return false;
            }
        }
    }

    /// <summary>Asks for the session; null when the connection is closing.</summary>
    public async ValueTask<ConnectResult?> AttachAsync()
    {
        var packet = _packet!;
        var request = new ConnectRequest
        {
            Edge = context.Grains.Edge,
            ConnectionId = connection.Id,
            CleanStart = packet.CleanStart,
            ReceiveMaximum = packet.ReceiveMaximum,
            SessionExpirySeconds = packet.SessionExpiryInterval,
            Will = packet.Will?.ToMessage(ClientId),
        };
        try
        {
            return await context.Grains.GetClient(ClientId).Connect(request);
        }
        catch (Exception exception)
        {
            connection.Close(CloseReason.Server(ReasonCode.ServerUnavailable, $"The session is not available ({exception.GetType().Name})."));
            return null;
        }
    }

    public byte[] MakeConnAck(ConnectResult session) => PacketWriter.ConnAck(Version, session.SessionPresent, new ConnAckProperties
    {
        Features = context.Features,
        ReceiveMaximum = (ushort)context.Options.ReceiveMaximum,
        MaximumPacketSize = context.Options.MaximumPacketSize,
        AssignedClientIdentifier = _hasOwnId ? null : ClientId,
        ServerKeepAlive = KeepAlive == _packet!.KeepAlive ? null : KeepAlive,
        SessionExpiryInterval = session.SessionExpirySeconds == _packet.SessionExpiryInterval ? null : session.SessionExpirySeconds,
    });

    private bool TryRead(in ReadOnlySequence<byte> buffer, out int length)
    {
        length = 0;
        if (!FrameHeader.TryRead(buffer, context.Options.MaximumPacketSize, out var header))
        {
            return false;
        }

        if (header.Type != PacketType.Connect)
        {
            MqttProtocolException.ThrowProtocolError("The first packet is not CONNECT.");
        }

        if (buffer.Length < header.Length)
        {
            return false;
        }

        var body = buffer.Slice(header.HeaderLength, header.BodyLength);
        Read(new PacketReader(body.IsSingleSegment ? body.FirstSpan : body.ToArray()));
        length = header.Length;
        return true;
    }

    private void Read(PacketReader reader)
    {
        ProtocolVersion? version = null;
        try
        {
            ConnectPacket.ReadVersion(ref reader, out version);
        }
        finally
        {
            Version = version ?? default;
        }

        var packet = ConnectPacket.Read(ref reader, Version);
        _packet = packet;
        _hasOwnId = packet.ClientId.Length > 0;
        if (!_hasOwnId && Version == ProtocolVersion.Mqtt311 && !packet.CleanStart)
        {
            throw new MqttProtocolException(ReasonCode.ClientIdentifierNotValid, "An empty client identifier needs a clean session.");
        }

        if (TopicSyntax.IsShared(packet.ClientId))
        {
            throw new MqttProtocolException(ReasonCode.ClientIdentifierNotValid, "A client identifier may not begin with $share/.");
        }

        ClientId = _hasOwnId ? packet.ClientId : $"auto-{Guid.CreateVersion7():N}";
        if (packet.Will is { Retain: true } && !context.Features.Retain)
        {
            throw new MqttProtocolException(ReasonCode.RetainNotSupported, "Retained messages are not available.");
        }

        var longest = context.Options.MaximumKeepAlive;
        KeepAlive = longest > 0 && Version == ProtocolVersion.Mqtt5 && (packet.KeepAlive == 0 || packet.KeepAlive > longest) ? (ushort)longest : packet.KeepAlive;
    }
}
