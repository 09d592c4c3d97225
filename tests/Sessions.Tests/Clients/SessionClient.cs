using System.Text;
using OrleansMqtt.LoadGenerator;
using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.Sessions.Tests.Clients;

/// <summary>
/// An MQTT client whose session state outlives its connections, as the specification wants it of a client, and which answers the server only when told to. Everything it
/// sends and receives goes to its observer.
/// </summary>
internal sealed class SessionClient(string clientId, int protocol, SessionObserver observer) : IDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly List<OutgoingPublish> _outgoing = [];
    private readonly HashSet<ushort> _unreleased = [];
    private readonly List<(Answers Kind, ushort PacketId)> _owed = [];
    private readonly HashSet<ushort> _requests = [];
    private ClientConnection? _connection;
    private ushort _lastPacketId;
    private int _pings;
    private string? _reason;
    private TaskCompletionSource _changed = NewSignal();

    public string ClientId => clientId;

    public int Protocol => protocol;

    /// <summary>Answers each packet at once.</summary>
    public bool AnswersItself { get; set; }

    public bool IsConnected => Volatile.Read(ref _connection) is not null;

    /// <summary>The Receive Maximum of the server.</summary>
    public int SendQuota { get; private set; } = ushort.MaxValue;

    /// <summary>Publishes of QoS 1 and 2 that have not ended.</summary>
    public int Outgoing
    {
        get
        {
            lock (_lock)
            {
                return _outgoing.Count;
            }
        }
    }

    /// <summary>Subscriptions, their ends and pings that have no answer yet.</summary>
    public bool HasRequests
    {
        get
        {
            lock (_lock)
            {
                return _requests.Count > 0 || _pings > 0;
            }
        }
    }

    /// <summary>Connects, and takes over from its own earlier connection if there is one. Then goes on where the session was, or forgets it.</summary>
    /// <exception cref="IOException">The server did not accept the connection.</exception>
    public async Task<bool> ConnectAsync(int port, bool cleanStart, uint? sessionExpiry, int receiveMaximum = 0, Will? will = null, TimeSpan? limit = null)
    {
        using CancellationTokenSource timeout = new(limit ?? Limit);
        ConnectOptions options = new(protocol, clientId) { CleanStart = cleanStart, SessionExpiry = sessionExpiry, ReceiveMaximum = receiveMaximum, Will = will };
        ClientConnection connection = new();
        var earlier = _connection;
        try
        {
            await connection.OpenAsync(port, timeout.Token);
            lock (_lock)
            {
                earlier = _connection;
                End(null);
                observer.Connecting(options);
                connection.TrySend(PacketWriter.Connect(options));
            }

            var packet = await connection.ReadAsync(timeout.Token) ?? throw new IOException($"{clientId}: the server closed the connection instead of accepting it.");
            var connAck = ConnAck.Read(packet.Body, protocol);
            if ((PacketType)(packet.First >> 4) != PacketType.ConnAck || connAck.Reason != 0)
            {
                throw new IOException($"{clientId}: the server answered CONNECT with {Convert.ToHexString([packet.First, .. packet.Body])}.");
            }

            lock (_lock)
            {
                _connection = connection;
                _reason = null;
                SendQuota = connAck.ReceiveMaximum;
                observer.Connected(connAck.SessionPresent);
                GoOn(connAck.SessionPresent);
            }

            connection.Reading = ReadAsync(connection);
            if (earlier is not null)
            {
                await WaitForCloseAsync(earlier, "the connection that was taken over");
            }

            return connAck.SessionPresent;
        }
        catch (Exception exception) when (exception is System.Net.Sockets.SocketException or OperationCanceledException)
        {
            connection.Dispose();
            throw new IOException($"{clientId}: cannot connect: {exception.Message}", exception);
        }
        catch (IOException)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The socket is closed without a DISCONNECT.</summary>
    public void Drop(bool isReset)
    {
        lock (_lock)
        {
            var connection = _connection;
            End(null);
            connection?.Close(isReset);
        }
    }

    /// <summary>DISCONNECT, and waits until the server has read it; with MQTT 5 it can end the session.</summary>
    public async Task DisconnectAsync(bool endsSession = false)
    {
        ClientConnection? connection;
        lock (_lock)
        {
            connection = _connection;
            if (connection is null)
            {
                return;
            }

            End(null);
            if (endsSession)
            {
                observer.SessionEnded();
            }

            connection.TrySend(endsSession ? PacketWriter.DisconnectWithExpiry(0) : PacketWriter.Disconnect);
            connection.EndSending();
        }

        await WaitForCloseAsync(connection, "a connection after its DISCONNECT");
    }

    /// <param name="filter">The topic filter.</param>
    /// <param name="options">With the Maximum QoS in its two lowest bits; the others only with MQTT 5.</param>
    public ushort Subscribe(string filter, int options)
    {
        lock (_lock)
        {
            var packetId = NextPacketId();
            _requests.Add(packetId);
            observer.Subscribing(packetId, filter, options);
            Send(PacketWriter.Subscribe(protocol, packetId, filter, options));
            return packetId;
        }
    }

    public ushort Unsubscribe(string filter)
    {
        lock (_lock)
        {
            var packetId = NextPacketId();
            _requests.Add(packetId);
            observer.Unsubscribing(packetId, filter);
            Send(PacketWriter.Unsubscribe(protocol, packetId, filter));
            return packetId;
        }
    }

    /// <summary>Publishes, also at QoS 1 and 2 without waiting. Null: the server's Receive Maximum does not allow it now, or there is no connection.</summary>
    public OutgoingPublish? Publish(string topic, string payload, int qos, bool isRetained = false)
    {
        lock (_lock)
        {
            if (_connection is null || (qos > 0 && _outgoing.Count >= SendQuota))
            {
                return null;
            }

            OutgoingPublish publish = new(qos > 0 ? NextPacketId() : (ushort)0, topic, payload, qos, isRetained);
            if (qos > 0)
            {
                _outgoing.Add(publish);
            }

            Send(publish, isDuplicate: false);
            return publish;
        }
    }

    public bool IsOutgoing(OutgoingPublish publish)
    {
        lock (_lock)
        {
            return _outgoing.Contains(publish);
        }
    }

    public void Ping()
    {
        lock (_lock)
        {
            _pings++;
            Send(PacketWriter.PingRequest);
        }
    }

    /// <summary>Sends what is owed of these kinds, oldest first, at most so many.</summary>
    public void Answer(Answers kinds, int count = int.MaxValue)
    {
        lock (_lock)
        {
            AnswerNow(kinds, count);
        }
    }

    /// <summary>Waits until something is so; looks again after each packet. False: not within the time limit.</summary>
    public async Task<bool> WaitAsync(Func<bool> condition, TimeSpan limit)
    {
        using CancellationTokenSource timeout = new(limit);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
            }

            if (condition())
            {
                return true;
            }

            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                return condition();
            }
        }
    }

    public void Dispose() => Drop(isReset: false);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WaitForCloseAsync(ClientConnection connection, string which)
    {
        try
        {
            await connection.Reading.WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            observer.Violated($"{which} was not closed");
        }

        connection.Close(isReset: false);
    }

    private void Signal()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }

    private ushort NextPacketId()
    {
        do
        {
            _lastPacketId = _lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastPacketId + 1);
        }
        while (_requests.Contains(_lastPacketId) || _outgoing.Exists(publish => publish.PacketId == _lastPacketId));
        return _lastPacketId;
    }

    /// <summary>What a client does after CONNACK ([MQTT-4.4.0-1], [MQTT-4.6.0-1]).</summary>
    private void GoOn(bool sessionPresent)
    {
        if (!sessionPresent)
        {
            _outgoing.ForEach(observer.Forgotten);
            _outgoing.Clear();
            _unreleased.Clear();
            return;
        }

        foreach (var publish in _outgoing)
        {
            if (publish.IsTaken)
            {
                publish.IsReleasedAgain = true;
                SendAnswer(Answers.PubRel, publish.PacketId);
            }
            else
            {
                Send(publish, isDuplicate: true);
            }
        }
    }

    private void End(string? reason)
    {
        if (_connection is not null)
        {
            _connection = null;
            _owed.Clear();
            _requests.Clear();
            _pings = 0;
            observer.Disconnected(reason);
            Signal();
        }
    }

    private void Send(ReadOnlySpan<byte> packet) => _connection?.TrySend(packet);

    private void Send(OutgoingPublish publish, bool isDuplicate)
    {
        observer.Publishing(publish, isDuplicate);
        Send(PacketWriter.Publish(protocol, publish.PacketId, publish.Topic, Encoding.UTF8.GetBytes(publish.Payload), publish.QoS, isDuplicate, publish.IsRetained));
    }

    private void AnswerNow(Answers kinds, int count)
    {
        for (var i = 0; i < _owed.Count && count > 0;)
        {
            var (kind, packetId) = _owed[i];
            if ((kind & kinds) == 0)
            {
                i++;
                continue;
            }

            _owed.RemoveAt(i);
            count--;
            SendAnswer(kind, packetId);
        }
    }

    private void SendAnswer(Answers kind, ushort packetId)
    {
        observer.Answering(kind, packetId);
        Span<byte> packet = stackalloc byte[PacketWriter.AcknowledgementLength];
        PacketWriter.WriteAcknowledgement(packet, kind switch
        {
            Answers.PubAck => PacketType.PubAck,
            Answers.PubRec => PacketType.PubRec,
            Answers.PubRel => PacketType.PubRel,
            _ => PacketType.PubComp,
        }, packetId);
        Send(packet);
    }

    private async Task ReadAsync(ClientConnection connection)
    {
        while (await connection.ReadAsync(CancellationToken.None) is var (first, body))
        {
            lock (_lock)
            {
                if (_connection == connection)
                {
                    HandleChecked((PacketType)(first >> 4), first, body);
                    if (AnswersItself)
                    {
                        AnswerNow(Answers.All, int.MaxValue);
                    }

                    Signal();
                }
            }
        }

        lock (_lock)
        {
            if (_connection == connection)
            {
                End(_reason ?? "the server closed the connection");
                connection.Dispose();
            }
        }
    }

    private void HandleChecked(PacketType type, byte first, ReadOnlySpan<byte> body)
    {
        try
        {
            Handle(type, first, body);
        }
        catch (LoadException malformed)
        {
            observer.Violated($"{malformed.Message}: {type} {Convert.ToHexString(body)}");
        }
    }

    private void Handle(PacketType type, byte first, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case PacketType.Publish:
                Receive(ReceivedPublish.Read(first, body, protocol));
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                HandleAcknowledgement(type, PacketReader.ReadAcknowledgement(body));
                break;
            case PacketType.PubRel:
                var packetId = PacketReader.ReadAcknowledgement(body).PacketId;
                _unreleased.Remove(packetId);
                _owed.Add((Answers.PubComp, packetId));
                observer.Released(packetId);
                break;
            case PacketType.SubAck or PacketType.UnsubAck:
                HandleRequest(type, PacketReader.ReadAcknowledgement(body).PacketId, body[^1]);
                break;
            case PacketType.PingResp:
                _pings--;
                break;
            case PacketType.Disconnect:
                _reason = $"the server sent DISCONNECT {ReasonText.OfReason(body.IsEmpty ? (byte)0 : body[0])}";
                break;
            default:
                observer.Violated($"a packet of type {type} from the server");
                break;
        }
    }

    private void Receive(ReceivedPublish packet)
    {
        var isNew = true;
        if (packet.QualityOfService == 1)
        {
            _owed.Add((Answers.PubAck, packet.PacketId));
        }
        else if (packet.QualityOfService == 2)
        {
            isNew = _unreleased.Add(packet.PacketId);
            _owed.Add((Answers.PubRec, packet.PacketId));
        }

        observer.Received(new(
            packet.PacketId, packet.IsDuplicate, packet.QualityOfService, Encoding.UTF8.GetString(packet.Topic), Encoding.UTF8.GetString(packet.Payload), isNew, packet.IsRetained));
    }

    private void HandleAcknowledgement(PacketType type, (ushort PacketId, byte Reason) acknowledgement)
    {
        var publish = _outgoing.Find(outgoing => outgoing.PacketId == acknowledgement.PacketId);
        var isExpected = publish is not null && type switch
        {
            PacketType.PubAck => publish.QoS == 1,
            PacketType.PubRec => publish.QoS == 2,
            _ => publish.IsTaken,
        };
        // A PUBREL that is sent again may find its identifier gone: that is no error then (MQTT 5, 3.7.2.1).
        var isAllowed = acknowledgement.Reason < 0x80 || (type == PacketType.PubComp && acknowledgement.Reason == 0x92 && publish is { IsReleasedAgain: true });
        if (!isExpected || !isAllowed)
        {
            observer.Violated($"{type} {acknowledgement.PacketId} with reason {acknowledgement.Reason:X2} for {publish?.Payload ?? "nothing"}");
        }
        else if (type == PacketType.PubRec)
        {
            publish!.IsTaken = true;
            _owed.Add((Answers.PubRel, publish.PacketId));
            observer.Taken(publish);
        }
        else
        {
            _outgoing.Remove(publish!);
            observer.Acknowledged(publish!);
        }
    }

    private void HandleRequest(PacketType type, ushort packetId, byte code)
    {
        if (!_requests.Remove(packetId))
        {
            observer.Violated($"{type} {packetId} for nothing");
        }
        else if (type == PacketType.SubAck)
        {
            observer.Subscribed(packetId, code);
        }
        else
        {
            observer.Unsubscribed(packetId);
        }
    }
}
