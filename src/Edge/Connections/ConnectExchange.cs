using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Orleans.Runtime;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

/// <summary>The beginning of a connection: reads CONNECT, authenticates the client, asks for the session, and makes CONNACK. What is known of the client stays known when it is refused.</summary>
internal sealed class ConnectExchange(MqttConnection connection, EdgeContext context, IDuplexPipe transport, EndPoint? remote)
{
    private const int LongestMqtt31ClientId = 23;

    private ConnectPacket? _packet;
    private bool _hasOwnId;
    private byte[] _authenticationData = [];
    private ReadOnlyMemory<byte> _lastAuthenticationData;

    /// <summary>The version to answer in; not set when nothing is answered.</summary>
    public ProtocolVersion Version { get; private set; }

    public string ClientId { get; private set; } = "";

    /// <summary>The Keep Alive that counts, in seconds; 0 is none.</summary>
    public ushort KeepAlive { get; private set; }

    /// <summary>The greatest packet that the client takes.</summary>
    public uint ClientMaximumPacketSize => _packet?.MaximumPacketSize ?? uint.MaxValue;

    /// <summary>Whether CONNECT asked for a session that outlives the connection.</summary>
    public bool HasSessionExpiry => _packet is { SessionExpiryInterval: > 0 };

    /// <summary>How many topic aliases are used to the client.</summary>
    public int OutgoingTopicAliases => Math.Min(_packet?.TopicAliasMaximum ?? 0, context.Options.OutgoingTopicAliases);

    /// <summary>Whether packets other than PUBLISH, CONNACK and DISCONNECT may hold a Reason String.</summary>
    public bool RequestsProblemInformation => _packet?.RequestsProblemInformation ?? false;

    /// <summary>The enhanced authentication, once it has succeeded; null when CONNECT asked for none.</summary>
    public ClientAuthentication? Authentication { get; private set; }

    /// <summary>Reads CONNECT, and after it AUTH; false when the connection is closing.</summary>
    /// <exception cref="MqttProtocolException">The client is refused.</exception>
    public async ValueTask<bool> ReadAsync()
    {
        var input = transport.Input;
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
                    context.Metrics.Received(length, packets: 1, payload: 0, default);
                    return !connection.IsClosing;
                }
            }
            finally
            {
                // All is examined only when the packet is not complete: what follows CONNECT must be read at once.
                input.AdvanceTo(consumed, consumed.Equals(buffer.Start) ? buffer.End : consumed);
            }

            if (result.IsCompleted)
            {
                connection.Close(CloseReason.Lost(_packet is null ? "The connection was closed before CONNECT." : "The client closed the connection while it was authenticated."));
                return false;
            }
        }
    }

    /// <summary>Checks who the client is, with as many packets as its method needs; false when the connection is closing.</summary>
    /// <exception cref="MqttProtocolException">The client is refused.</exception>
    public async ValueTask<bool> AuthenticateAsync()
    {
        var packet = _packet!;
        if (packet.AuthenticationMethod is not { } method)
        {
            context.Authentication.Check(packet.UserName, packet.Password);
            return true;
        }

        AuthenticationRequest request = new() { ClientId = ClientId, UserName = packet.UserName, RemoteEndPoint = remote };
        var authentication = context.Authentication.Begin(method, request, connection, context);
        for (_authenticationData = packet.AuthenticationData; ;)
        {
            var step = await authentication.ContinueAsync(_authenticationData);
            if (step.Outcome == AuthenticationOutcome.Succeeded)
            {
                (Authentication, _lastAuthenticationData) = (authentication, step.Data);
                CheckConnAckSize();
                return true;
            }

            if (step.Outcome == AuthenticationOutcome.Failed)
            {
                throw new MqttProtocolException(ReasonCode.NotAuthorized, step.Reason!);
            }

            var answer = PacketWriter.Auth(ReasonCode.ContinueAuthentication, method, step.Data.Span);
            if (answer.Length > ClientMaximumPacketSize)
            {
                throw new MqttProtocolException(ReasonCode.PacketTooLarge, "The client's Maximum Packet Size is too small for AUTH.");
            }

            // Nothing else is written before CONNACK.
            await transport.Output.WriteAsync(answer, connection.WhenClosing);
            context.Metrics.Sent(answer.Length, packets: 1, payload: 0, default);
            if (!await ReadAsync())
            {
                return false;
            }
        }
    }

    /// <summary>Asks for the session and gives it to the connection, or closes it.</summary>
    public async ValueTask AttachAsync()
    {
        if (FindOtherServer() is { } elsewhere)
        {
            connection.Close(elsewhere);
            return;
        }

        if (!await context.ConnectTurns.EnterAsync(ClientId))
        {
            connection.Close(CloseReason.Server(ReasonCode.ServerBusy, "A later connection uses the client identifier."));
            return;
        }

        try
        {
            if (!connection.IsClosing)
            {
                await AskAsync();
            }
        }
        finally
        {
            context.ConnectTurns.Leave(ClientId);
        }
    }

    /// <summary>Why the client is turned away, although its CONNECT is in order; null when it is served here.</summary>
    private CloseReason? FindOtherServer()
    {
        const string Shedding = "This server has as many connections as it should.";
        if (context.Shedding.Applies(context.Connections.Count))
        {
            return context.Directory?.FindOther() is { } other
                ? CloseReason.Server(ReasonCode.ServerMoved, Shedding) with { ServerReference = other }
                : CloseReason.Server(ReasonCode.QuotaExceeded, Shedding);
        }

        return context.Options.Redirect && Version == ProtocolVersion.Mqtt5 && context.Directory?.FindOwner(ClientId) is { } owner
            ? CloseReason.Redirected(DisconnectCause.ByServer, owner)
            : null;
    }

    /// <summary>A client that has no identifier gets one whose session is owned here, where clients are sent to the owners of theirs.</summary>
    private string MakeClientId()
    {
        const int Attempts = 200;
        for (var attempt = 1; ; attempt++)
        {
            var clientId = $"auto-{Guid.CreateVersion7():N}";
            if (attempt == Attempts || !context.Options.Redirect || Version != ProtocolVersion.Mqtt5 || context.Directory?.FindOwner(clientId) is null)
            {
                return clientId;
            }
        }
    }

    private async ValueTask AskAsync()
    {
        var packet = _packet!;
        connection.BeginAsking(context.Grains.SessionPartitionOf(ClientId), packet.ReceiveMaximum);
        var request = new ConnectRequest
        {
            Edge = context.Grains.Edge,
            ConnectionId = connection.Id,
            CleanStart = packet.CleanStart,
            ReceiveMaximum = packet.ReceiveMaximum,
            SessionExpirySeconds = packet.SessionExpiryInterval,
            Will = packet.Will?.ToMessage(ClientId),
        };
        var begun = context.Time.GetTimestamp();
        for (var pause = RetryPause.Shortest; ; pause = RetryPause.After(pause))
        {
            try
            {
                var session = await context.Grains.GetClient(ClientId).Connect(request);
                var hasRecord = session.SessionPresent || session.SessionExpirySeconds > 0 || request.Will is not null;
                if (context.Deliveries.TryBind(connection, session, hasRecord))
                {
                    return;
                }

                if (hasRecord || !MayAskAgain())
                {
                    connection.Close(CloseReason.Server(ReasonCode.ServerUnavailable, "The session's partition has another owner now."));
                    return;
                }

                // The new owner has nothing of it, so it is asked as for the first time.
                context.Logger.SessionCallFailed(ClientId, "Its partition has moved.");
            }
            catch (OrleansMessageRejectionException exception) when (MayAskAgain())
            {
                // The grain is moving, or its silo is gone.
                context.Logger.SessionCallFailed(ClientId, exception.Message);
            }
            catch (Exception exception)
            {
                connection.Close(CloseReason.Server(ReasonCode.ServerUnavailable, $"The session is not available ({exception.GetType().Name})."));
                return;
            }

            await Task.Delay(pause, context.Time);
            if (connection.IsClosing)
            {
                return;
            }
        }

        bool MayAskAgain() => !connection.IsClosing && context.Time.GetElapsedTime(begun) < context.Options.ConnectTimeout;
    }

    /// <summary>Makes CONNACK, without what may be left out where it would be larger than the client takes.</summary>
    public byte[] MakeConnAck(ConnectResult session)
    {
        var packet = MakeConnAck(session.SessionPresent, session.SessionExpirySeconds, GetResponseInformation());
        return packet.Length > ClientMaximumPacketSize ? MakeConnAck(session.SessionPresent, session.SessionExpirySeconds, responseInformation: null) : packet;
    }

    private byte[] MakeConnAck(bool sessionPresent, uint sessionExpirySeconds, string? responseInformation) => PacketWriter.ConnAck(Version, sessionPresent, new ConnAckProperties
    {
        Features = context.Features,
        ReceiveMaximum = (ushort)context.Options.ReceiveMaximum,
        MaximumPacketSize = context.Options.MaximumPacketSize,
        AssignedClientIdentifier = _hasOwnId ? null : ClientId,
        ServerKeepAlive = KeepAlive == _packet!.KeepAlive ? null : KeepAlive,
        SessionExpiryInterval = sessionExpirySeconds == _packet.SessionExpiryInterval ? null : sessionExpirySeconds,
        ResponseInformation = responseInformation,
        AuthenticationMethod = Authentication?.Method,
        AuthenticationData = _lastAuthenticationData,
    });

    /// <summary>Null when the client did not ask for it ([MQTT-3.1.2-28]), none is configured, or its identifier cannot be part of a topic name.</summary>
    private string? GetResponseInformation()
    {
        const string ClientIdPlace = "{clientId}";
        if (context.Options.ResponseTopicPrefix is not { } prefix || !_packet!.RequestsResponseInformation)
        {
            return null;
        }

        var information = prefix.Replace(ClientIdPlace, ClientId, StringComparison.Ordinal);
        return information.AsSpan().IndexOfAny('+', '#') < 0 && Encoding.UTF8.GetByteCount(information) <= ushort.MaxValue ? information : null;
    }

    private bool TryRead(in ReadOnlySequence<byte> buffer, out int length)
    {
        length = 0;
        if (!FrameHeader.TryRead(buffer, context.Options.MaximumPacketSize, Version, out var header))
        {
            return false;
        }

        if (_packet is null && header.Type != PacketType.Connect)
        {
            MqttProtocolException.ThrowProtocolError("The first packet is not CONNECT.");
        }

        if (_packet is not null && header.Type is not (PacketType.Auth or PacketType.Disconnect))
        {
            // [MQTT-3.1.2-30]
            MqttProtocolException.ThrowProtocolError("Before CONNACK a client that authenticates may send only AUTH and DISCONNECT.");
        }

        if (buffer.Length < header.Length)
        {
            return false;
        }

        var body = buffer.Slice(header.HeaderLength, header.BodyLength);
        var bytes = body.IsSingleSegment ? body.FirstSpan : body.ToArray();
        if (_packet is null)
        {
            Read(new PacketReader(bytes));
        }
        else if (header.Type == PacketType.Auth)
        {
            ReadAuth(AuthPacket.Read(bytes));
        }
        else
        {
            DisconnectPacket.Read(bytes, Version);
            connection.Close(CloseReason.ByClient);
        }

        length = header.Length;
        return true;
    }

    private void ReadAuth(in AuthPacket packet)
    {
        if (packet.ReasonCode != ReasonCode.ContinueAuthentication || packet.Method != _packet!.AuthenticationMethod)
        {
            // [MQTT-4.12.0-3], [MQTT-4.12.0-5]
            MqttProtocolException.ThrowProtocolError("AUTH before CONNACK has reason code 0x18, and the method of CONNECT.");
        }

        _authenticationData = packet.Data;
    }

    private void Read(PacketReader reader)
    {
        ProtocolVersion? version = null;
        try
        {
            ConnectPacket.ReadVersion(ref reader, context.Options.AllowMqtt31, out version);
        }
        finally
        {
            Version = version ?? default;
        }

        var packet = _packet = new ConnectPacket();
        packet.Read(ref reader, Version);
        _hasOwnId = packet.ClientId.Length > 0;
        if (!_hasOwnId && Version == ProtocolVersion.Mqtt311 && !packet.CleanStart)
        {
            throw new MqttProtocolException(ReasonCode.ClientIdentifierNotValid, "An empty client identifier needs a clean session.");
        }

        if (TopicSyntax.IsShared(packet.ClientId))
        {
            throw new MqttProtocolException(ReasonCode.ClientIdentifierNotValid, "A client identifier may not begin with $share/.");
        }

        if (Version == ProtocolVersion.Mqtt31 && packet.ClientId.EnumerateRunes().Count() is 0 or > LongestMqtt31ClientId)
        {
            throw new MqttProtocolException(ReasonCode.ClientIdentifierNotValid, $"A client identifier of MQTT 3.1 has 1 to {LongestMqtt31ClientId} characters.");
        }

        ClientId = _hasOwnId ? packet.ClientId : MakeClientId();
        if (packet.Will is { } will)
        {
            CheckWill(will);
        }

        var longest = context.Options.MaximumKeepAlive;
        KeepAlive = longest > 0 && Version == ProtocolVersion.Mqtt5 && (packet.KeepAlive == 0 || packet.KeepAlive > longest) ? (ushort)longest : packet.KeepAlive;

        CheckConnAckSize();
    }

    /// <summary>Before there is a session: CONNACK may have to tell another expiry than was asked for, if any was.</summary>
    private void CheckConnAckSize()
    {
        if (ClientMaximumPacketSize < uint.MaxValue && MakeConnAck(false, Math.Max(_packet!.SessionExpiryInterval, 1) - 1, responseInformation: null).Length > ClientMaximumPacketSize)
        {
            throw new MqttProtocolException(ReasonCode.QuotaExceeded, "The client's Maximum Packet Size is too small for CONNACK.");
        }
    }

    private void CheckWill(ConnectWill will)
    {
        if (will.QoS > context.Features.MaximumQoS)
        {
            // [MQTT-3.2.2-12]
            throw new MqttProtocolException(ReasonCode.QoSNotSupported, $"The will has QoS {will.QoS}: Maximum QoS is {context.Features.MaximumQoS}.");
        }

        if (will.Retain && !context.Features.Retain)
        {
            throw new MqttProtocolException(ReasonCode.RetainNotSupported, "Retained messages are not available.");
        }

        if (will.IsSystem)
        {
            throw new MqttProtocolException(ReasonCode.NotAuthorized, "Clients may not publish below $SYS.");
        }

        if (context.Options.ValidatePayloadFormat && !will.HasValidFormat)
        {
            throw new MqttProtocolException(ReasonCode.PayloadFormatInvalid, "The payload of the will is not UTF-8, which its Payload Format Indicator promises.");
        }
    }
}
