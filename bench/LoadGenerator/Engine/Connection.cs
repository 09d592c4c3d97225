using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.LoadGenerator.Sockets;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>One MQTT client, driven by its worker's thread. This class alone is an idle connection.</summary>
internal unsafe class Connection(Worker worker, string clientId)
{
    private readonly string _clientId = clientId;
    private int _descriptor = -1;
    private int _slot;
    private int _attempts;
    private bool _comesBack;
    private byte[] _remainder = [];
    private int _remainderLength;
    private byte[] _unsent = [];
    private int _unsentLength;
    private long _lastSent;
    private long _keepAliveTicks;

    private enum State
    {
        New,
        Connecting,
        AwaitingConnAck,
        AwaitingSubAck,
        Ready,
        Closed,
    }

    public bool IsReady => _state == State.Ready;

    protected Worker Worker { get; } = worker;

    protected LoadSettings Settings => Worker.Context.Settings;

    protected bool HasUnsent => _unsentLength > 0;

    private IPEndPoint Server => Worker.Context.Servers[(_slot + _attempts) % Worker.Context.Servers.Count];

    private State _state;

    /// <summary>Begins to connect; the worker hears of the end by the socket becoming writable.</summary>
    public void Open(int slot, IPAddress? source)
    {
        _slot = slot;
        var server = Server.Serialize();
        _descriptor = Libc.Socket(
            (int)server.Family == (int)System.Net.Sockets.AddressFamily.InterNetworkV6 ? 10 : 2,
            Libc.SocketStream | Libc.SocketNonBlocking | Libc.SocketCloseOnExec,
            Libc.ProtocolTcp);
        if (_descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new LoadException($"cannot open socket {slot}: {Libc.Describe(error)} (is 'ulimit -n' high enough?)");
        }

        int on = 1;
        _ = Libc.SetSocketOption(_descriptor, Libc.ProtocolTcp, Libc.OptionNoDelay, &on, sizeof(int));
        if (source is not null)
        {
            _ = Libc.SetSocketOption(_descriptor, Libc.LevelIp, Libc.OptionBindAddressNoPort, &on, sizeof(int));
            var local = new IPEndPoint(source, 0).Serialize();
            fixed (byte* address = local.Buffer.Span)
            {
                if (Libc.Bind(_descriptor, address, local.Size) < 0)
                {
                    throw new LoadException($"cannot bind to {source}: {Libc.Describe(Marshal.GetLastPInvokeError())}");
                }
            }
        }

        fixed (byte* address = server.Buffer.Span)
        {
            if (Libc.Connect(_descriptor, address, server.Size) < 0 && Marshal.GetLastPInvokeError() is var error && error != Libc.InProgress)
            {
                if (_comesBack)
                {
                    ComeBack();
                    return;
                }

                throw CannotConnect(error);
            }
        }

        _state = State.Connecting;
        Worker.Epoll.Add(_descriptor, slot, Epoll.Writable);
    }

    public void OnEvents(uint events)
    {
        if (_state == State.Connecting)
        {
            OnConnected();
            return;
        }

        if ((events & Epoll.Writable) != 0 && _state != State.Closed)
        {
            SendUnsent();
        }

        if ((events & (Epoll.Readable | Epoll.Error | Epoll.HangUp)) != 0 && _state != State.Closed)
        {
            OnReadable();
        }
    }

    /// <summary>Sends a PINGREQ when the keep-alive time is half over; called about once a second.</summary>
    public void KeepAlive(long now)
    {
        if (_state == State.Ready && _keepAliveTicks > 0 && now - _lastSent > _keepAliveTicks / 2)
        {
            PacketWriter.PingRequest.CopyTo(Worker.SendBuffer.Reserve(2));
            Flush();
        }
    }

    public void Close()
    {
        if (_state == State.Ready && !HasUnsent)
        {
            PacketWriter.Disconnect.CopyTo(Worker.SendBuffer.Reserve(2));
            Flush();
        }

        CloseSocket();
    }

    /// <summary>The connection is over: counted, and the first reason is kept.</summary>
    public void Fail(string reason, int exitCode = ExitCodes.Failed)
    {
        if (_state == State.Closed)
        {
            return;
        }

        if (_state == State.Ready)
        {
            Worker.Counters.ConnectionsLost++;
            _comesBack = Settings.Reconnects && !Worker.IsStopping;
        }

        if (_comesBack)
        {
            ComeBack();
            return;
        }

        Worker.Context.Errors.Report(new LoadException($"{_clientId}: {reason}", exitCode));
        Worker.SendBuffer.Clear();
        CloseSocket();
    }

    /// <summary>The filter to subscribe to before the connection counts as ready.</summary>
    protected virtual string? Filter => null;

    /// <summary>What this kind of client connects with; a session that ends with the connection if it has nothing to say.</summary>
    protected virtual ConnectOptions Configure(ConnectOptions options) => options;

    protected virtual void OnConnAck(in ConnAck connAck)
    {
    }

    protected virtual void OnPacket(PacketType type, byte first, ReadOnlySpan<byte> body, long now) =>
        Fail($"the server sent an unexpected packet of type {(int)type}");

    /// <summary>All packets of one read are handled: send what they led to.</summary>
    protected virtual void AfterRead(long now) => Flush();

    protected void Acknowledge(PacketType type, ushort packetId) =>
        PacketWriter.WriteAcknowledgement(Worker.SendBuffer.Reserve(PacketWriter.AcknowledgementLength), type, packetId);

    /// <summary>Sends the worker's buffer; what the socket does not take is kept. False: the socket is full.</summary>
    protected bool Flush()
    {
        var buffer = Worker.SendBuffer;
        if (buffer.Length == 0)
        {
            return !HasUnsent;
        }

        int sent = HasUnsent ? 0 : TrySend(buffer.Bytes, 0, buffer.Length);
        if (sent >= 0 && sent < buffer.Length)
        {
            int rest = buffer.Length - sent;
            if (_unsentLength + rest > _unsent.Length)
            {
                Array.Resize(ref _unsent, Math.Max(_unsent.Length * 2, _unsentLength + rest));
            }

            if (!HasUnsent)
            {
                Worker.Epoll.Modify(_descriptor, _slot, Epoll.Readable | Epoll.Writable);
            }

            Buffer.BlockCopy(buffer.Bytes, sent, _unsent, _unsentLength, rest);
            _unsentLength += rest;
        }

        buffer.Clear();
        return !HasUnsent && _state != State.Closed;
    }

    protected virtual void OnWritable()
    {
    }

    private void OnConnected()
    {
        int error = 0;
        int length = sizeof(int);
        _ = Libc.GetSocketOption(_descriptor, Libc.LevelSocket, Libc.OptionError, &error, &length);
        if (error != 0)
        {
            if (_comesBack)
            {
                ComeBack();
                return;
            }

            throw CannotConnect(error);
        }

        Worker.Epoll.Modify(_descriptor, _slot, Epoll.Readable);
        _state = State.AwaitingConnAck;
        Write(PacketWriter.Connect(Configure(new ConnectOptions(Settings.Protocol, _clientId)
        {
            KeepAlive = (ushort)Settings.KeepAlive,
            UserName = Settings.UserName,
            Password = Worker.Context.Password,
            ReceiveMaximum = Settings.ReceiveMaximum,
            CleanStart = Settings.SessionExpiry == 0,
            SessionExpiry = Settings.SessionExpiry == 0 ? null : Settings.SessionExpiry,
        })));
    }

    private void OnReadable()
    {
        byte[] buffer = Worker.ReceiveBuffer;
        Buffer.BlockCopy(_remainder, 0, buffer, 0, _remainderLength);
        nint received;
        fixed (byte* start = buffer)
        {
            received = Libc.Receive(_descriptor, start + _remainderLength, buffer.Length - _remainderLength, 0);
        }

        if (received <= 0)
        {
            int error = received == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (received == 0)
            {
                Fail(_state == State.Ready ? "the server closed the connection" : "the server closed the connection before it was established");
            }
            else if (error is not (Libc.TryAgain or Libc.Interrupted))
            {
                Fail($"connection lost: {Libc.Describe(error)}");
            }

            return;
        }

        long now = RunClock.Now;
        ReadOnlySpan<byte> data = buffer.AsSpan(0, _remainderLength + (int)received);
        try
        {
            while (_state != State.Closed && PacketReader.TryRead(ref data, out byte first, out var body))
            {
                Handle((PacketType)(first >> 4), first, body, now);
            }
        }
        catch (LoadException malformed)
        {
            Fail(malformed.Message);
        }

        if (_state == State.Closed)
        {
            return;
        }

        if (data.Length > _remainder.Length)
        {
            _remainder = new byte[Math.Max(data.Length, 1024)];
        }

        data.CopyTo(_remainder);
        _remainderLength = data.Length;
        AfterRead(now);
    }

    private void Handle(PacketType type, byte first, ReadOnlySpan<byte> body, long now)
    {
        switch (type)
        {
            case PacketType.PingResp:
                break;
            case PacketType.Disconnect:
                Fail($"the server sent DISCONNECT {ReasonText.OfReason(body.Length > 0 ? body[0] : (byte)0)}");
                break;
            case PacketType.ConnAck when _state == State.AwaitingConnAck:
                HandleConnAck(ConnAck.Read(body, Settings.Protocol));
                break;
            case PacketType.SubAck when _state == State.AwaitingSubAck:
                HandleSubAck(body[^1]);
                break;
            default:
                OnPacket(type, first, body, now);
                break;
        }
    }

    private void HandleConnAck(in ConnAck connAck)
    {
        if (connAck.Reason != 0)
        {
            string text = connAck.ReasonText is { } more ? $": {more}" : "";
            Fail($"the server refused the connection with CONNACK {ReasonText.OfConnAck(connAck.Reason, Settings.Protocol)}{text}");
            return;
        }

        if (connAck.MaximumQualityOfService < Settings.PublishQualityOfService && this is Publisher)
        {
            Fail($"the server allows QoS {connAck.MaximumQualityOfService} at most, {Settings.PublishQualityOfService} is wanted", ExitCodes.NotOffered);
            return;
        }

        _keepAliveTicks = RunClock.Ticks(connAck.ServerKeepAlive ?? Settings.KeepAlive);
        OnConnAck(connAck);
        if (_state == State.Closed)
        {
            return;
        }

        if (Filter is { } filter)
        {
            _state = State.AwaitingSubAck;
            Write(PacketWriter.Subscribe(Settings.Protocol, 1, filter, Settings.SubscribeQualityOfService, Settings.Filters - 1));
        }
        else
        {
            BecomeReady();
        }
    }

    private void HandleSubAck(byte granted)
    {
        if (granted == Settings.SubscribeQualityOfService)
        {
            BecomeReady();
        }
        else if (granted >= 0x80)
        {
            Fail($"the server refused the subscription with SUBACK {ReasonText.OfReason(granted)}");
        }
        else
        {
            Fail($"the server granted QoS {granted} instead of {Settings.SubscribeQualityOfService}", ExitCodes.NotOffered);
        }
    }

    private void BecomeReady()
    {
        _state = State.Ready;
        Worker.OnReady(_slot);
        _comesBack = false;
    }

    private void Write(ReadOnlySpan<byte> packet)
    {
        packet.CopyTo(Worker.SendBuffer.Reserve(packet.Length));
        Flush();
    }

    private void SendUnsent()
    {
        int sent = TrySend(_unsent, 0, _unsentLength);
        if (sent > 0)
        {
            _unsentLength -= sent;
            Buffer.BlockCopy(_unsent, sent, _unsent, 0, _unsentLength);
            if (!HasUnsent)
            {
                Worker.Epoll.Modify(_descriptor, _slot, Epoll.Readable);
                OnWritable();
            }
        }
    }

    private int TrySend(byte[] bytes, int offset, int length)
    {
        nint sent;
        fixed (byte* start = bytes)
        {
            sent = Libc.Send(_descriptor, start + offset, length, Libc.MessageNoSignal);
        }

        if (sent >= 0)
        {
            _lastSent = Worker.Now;
            return (int)sent;
        }

        int error = Marshal.GetLastPInvokeError();
        if (error is Libc.TryAgain or Libc.Interrupted)
        {
            return 0;
        }

        Fail($"connection lost: {Libc.Describe(error)}");
        return -1;
    }

    /// <summary>To the next server, as a device does that has a list of them.</summary>
    private void ComeBack()
    {
        Worker.SendBuffer.Clear();
        CloseSocket();
        (_remainderLength, _unsentLength) = (0, 0);
        _attempts++;
        Worker.Reopen(_slot);
    }

    private void CloseSocket()
    {
        _state = State.Closed;
        if (_descriptor >= 0)
        {
            _ = Libc.Close(_descriptor);
            _descriptor = -1;
        }
    }

    private LoadException CannotConnect(int error) => new($"cannot connect to {Server}: {Libc.Describe(error)}");
}
