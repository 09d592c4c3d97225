using System.IO.Pipelines;
using System.Net;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.Publishing;
using OrleansMqtt.Edge.Transport;

namespace OrleansMqtt.Edge.Connections;

/// <summary>One MQTT connection: CONNECT, the reading loop, and the end.</summary>
internal sealed partial class MqttConnection : IDisposable
{
    /// <summary>So many bytes of a packet that is not complete keep the connection alive as a packet does.</summary>
    private const int LivelyBytes = 1024;

    private const int NoPartition = -1;

    private readonly EdgeContext _context;
    private readonly IDuplexPipe _transport;
    private readonly EndPoint? _remote;
    private readonly Action _abort;
    private readonly InboundOperations _operations;
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationToken _whenClosing;
    private readonly long _connectDeadline;
    private PacketDispatcher? _dispatcher;
    private AcknowledgementSender? _acknowledgements;
    private CloseReason? _closeReason;
    private TakenDeliveries? _taken;
    private HeldSubscriptions? _subscriptions;
    private long _handedOverTo;
    private int _sessionPartition = NoPartition;
    private ConnectResult? _session;
    private ushort _receiveMaximum;
    private Task _run = Task.CompletedTask;
    private long _lastActive;
    private long _keepAliveTicks;
    private bool _isAuthenticating;
    private bool _isConnectReceived;
    private bool _isAccepted;
    private bool _sendsReasonStrings;
    private volatile bool _isReading;

    /// <summary>The connection's place in the wheel; belongs to <see cref="DeadlineWheel"/>.</summary>
    public DeadlineWheel.Entry DeadlineEntry;

    /// <param name="id">From <see cref="ConnectionTable.NextId"/>.</param>
    /// <param name="transport">The bytes.</param>
    /// <param name="remote">For the log.</param>
    /// <param name="abort">Ends the transport at once.</param>
    /// <param name="context">What all connections share.</param>
    public MqttConnection(long id, IDuplexPipe transport, EndPoint? remote, Action abort, EdgeContext context)
    {
        Id = id;
        _transport = transport;
        _remote = remote;
        _abort = abort;
        _context = context;
        _whenClosing = _closing.Token;
        _operations = new InboundOperations(this, context);
        Output = new ConnectionOutput(this, context, transport.Output);
        _connectDeadline = context.Deadlines.Now + DeadlineWheel.ToTicks(context.Options.ConnectTimeout);
    }

    public long Id { get; }

    public ConnectionOutput Output { get; }

    /// <summary>Whether the client has sent something, or has closed its end, that was not read yet; null when nobody can tell.</summary>
    public Func<bool>? HasUnread { get; init; }

    /// <summary>Where the reading loop may run on the transport's own thread; null when it may not.</summary>
    public IInlineReading? Inline { get; init; }

    /// <summary>The publishes on their way to the log; null before the first.</summary>
    public OutstandingPublishes? Publishes { get; private set; }

    public ProtocolVersion Version { get; private set; }

    public string ClientId { get; private set; } = "";

    /// <summary>The enhanced authentication that CONNECT asked for; null when it asked for none.</summary>
    public ClientAuthentication? Authentication { get; private set; }

    /// <summary>Cancelled when the connection is closing.</summary>
    public CancellationToken WhenClosing => _whenClosing;

    /// <summary>The session, once the client is connected.</summary>
    public ConnectResult Session => Volatile.Read(ref _session)!;

    /// <summary>The partition of the session, from when the session is asked for; negative before.</summary>
    public int SessionPartition => Volatile.Read(ref _sessionPartition);

    /// <summary>The generation of the owner that it was handed over to last; 0 when it was not.</summary>
    public long HandedOverTo => Volatile.Read(ref _handedOverTo);

    /// <summary>The subscriptions, where the session is not stored.</summary>
    public HeldSubscriptions Subscriptions => _subscriptions ?? Interlocked.CompareExchange(ref _subscriptions, new(), null) ?? _subscriptions;

    /// <summary>Whether the session keeps the packet identifiers of QoS 2 messages, because it outlives the connection, or did outlive one before.</summary>
    public bool IsSessionStored => Session.SessionExpirySeconds > 0 || Session.SessionPresent;

    /// <summary>The greatest packet that the client takes.</summary>
    public uint ClientMaximumPacketSize { get; private set; } = uint.MaxValue;

    /// <summary>How many topic aliases are used to the client; 0 when it takes none.</summary>
    public int OutgoingTopicAliases { get; private set; }

    /// <summary>Whether CONNECT asked for a session that outlives the connection.</summary>
    public bool HasSessionExpiry { get; private set; }

    public bool IsClosing => Volatile.Read(ref _closeReason) is not null;

    /// <summary>Whether it ends because of a later connection of its client.</summary>
    public bool IsTakenOver => Volatile.Read(ref _closeReason) == CloseReason.TakenOver;

    /// <summary>Completes when the connection has ended and its publishes are settled.</summary>
    public Task Ended => _run;

    /// <summary>Serves the connection until it ends.</summary>
    public Task RunAsync() => _run = ServeAsync();

    /// <summary>Tells the session about a message that was sent to the client.</summary>
    public void Acknowledge(ushort packetId, AcknowledgementKind kind, byte reasonCode)
    {
        var (generation, unacknowledged) = Volatile.Read(ref _taken)?.Acknowledge(packetId, kind, reasonCode) ?? (Session.Epoch.Generation, 0);
        // The owner may send less at a time than the client takes, which is not known here.
        var isAwaited = BatchGathering.IsHeldUp(_receiveMaximum) && unacknowledged >= _receiveMaximum;
        _acknowledgements!.Add(new Acknowledgement(Session.SessionSlot, Session.Epoch, packetId, kind, reasonCode), generation, isAwaited);
    }

    /// <summary>What it has taken, made at the first delivery, or when it is handed over. Called by one thread at a time.</summary>
    public TakenDeliveries GetTaken(long generation)
    {
        if (_taken is { } taken)
        {
            return taken;
        }

        Volatile.Write(ref _taken, taken = new TakenDeliveries(generation));
        return taken;
    }

    /// <summary>Its session is asked for: from now on the owner of that partition may know it.</summary>
    public void BeginAsking(int sessionPartition, ushort receiveMaximum)
    {
        _receiveMaximum = receiveMaximum;
        Volatile.Write(ref _sessionPartition, sessionPartition);
    }

    /// <summary>The owner has answered; called by <see cref="DeliveryReceiver.TryBind"/>.</summary>
    public void Bind(ConnectResult session)
    {
        if (HandedOverTo > session.Epoch.Generation)
        {
            GetTaken(HandedOverTo);
        }

        Volatile.Write(ref _session, session);
    }

    /// <summary>See <see cref="IEdgeService.HandOver"/>.</summary>
    public HandedOverConnection HandOver(long generation)
    {
        Volatile.Write(ref _handedOverTo, generation);

        // Most that wait for their answer have taken nothing, and are not taken over themselves.
        var (unacknowledged, taken, takenQoS0, lastPacketId) = Session is null && _taken is null ? ([], [], [], (ushort)0) : GetTaken(generation).HandOver(generation);
        return new()
        {
            ClientId = ClientId,
            Epoch = Session?.Epoch,
            ConnectionId = Id,
            ReceiveMaximum = _receiveMaximum,
            Subscriptions = Session is { SessionExpirySeconds: 0 } ? Subscriptions.All : [],
            Unacknowledged = unacknowledged,
            Taken = taken,
            TakenQoS0 = takenQoS0,
            LastPacketId = lastPacketId,
        };
    }

    /// <summary>The Reason String of an acknowledgement with this code; empty when there is none, the client wants none ([MQTT-3.1.2-29]), or it would be too large for the client.</summary>
    public ReadOnlySpan<byte> GetReasonString(byte reasonCode)
    {
        const int AcknowledgementLength = 9;
        if (reasonCode < 0x80 || !_sendsReasonStrings)
        {
            return default;
        }

        var text = ReasonText.Of(reasonCode);
        return AcknowledgementLength + text.Length <= ClientMaximumPacketSize ? text : default;
    }

    /// <summary>Asked by the wheel; returns when to be asked again.</summary>
    public long? OnDeadline(long now)
    {
        if (IsClosing)
        {
            return null;
        }

        if (!_isAccepted)
        {
            if (_isConnectReceived || now < _connectDeadline)
            {
                return Math.Max(now + DeadlineWheel.TicksPerSecond, _connectDeadline);
            }

            Close(_isAuthenticating ? CloseReason.AuthenticationTimeout : CloseReason.ConnectTimeout);
            return null;
        }

        if (_keepAliveTicks == 0)
        {
            return null;
        }

        // While the server itself does not read, the client cannot be heard.
        var last = _isReading ? Volatile.Read(ref _lastActive) : now;
        if (now - last > _keepAliveTicks)
        {
            Close(CloseReason.KeepAliveTimeout);
            return null;
        }

        return last + _keepAliveTicks + 1;
    }

    /// <summary>The publishes, made at the first one.</summary>
    public OutstandingPublishes GetPublishes()
    {
        if (Publishes is null)
        {
            var publishes = new OutstandingPublishes(this, _context);
            Thread.MemoryBarrier();
            Publishes = publishes;
        }

        return Publishes;
    }

    /// <inheritdoc/>
    public void Dispose() => _closing.Dispose();

    private async Task ServeAsync()
    {
        _context.Metrics.ConnectionOpened();
        _context.Deadlines.Add(this, _connectDeadline);
        try
        {
            if (await ConnectAsync())
            {
                await ReadAsync();
            }
        }
        catch (MqttProtocolException exception)
        {
            Close(CloseReason.Server(exception.ReasonCode, exception.Message));
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            Close(CloseReason.Lost(exception.Message));
        }
        catch (Exception exception)
        {
            _context.Logger.ConnectionFailed(exception);
            Close(CloseReason.Server(ReasonCode.UnspecifiedError, "An unexpected error."));
        }

        if (Inline is { ReadsInline: true })
        {
            Inline.ReadsInline = false;
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        await EndAsync();
    }

    private async ValueTask<bool> ConnectAsync()
    {
        var exchange = new ConnectExchange(this, _context, _transport, _remote);
        try
        {
            if (!await exchange.ReadAsync())
            {
                return false;
            }
        }
        finally
        {
            Version = exchange.Version;
            ClientId = exchange.ClientId;
            ClientMaximumPacketSize = exchange.ClientMaximumPacketSize;
        }

        _isAuthenticating = true;
        if (!await exchange.AuthenticateAsync())
        {
            return false;
        }

        _isConnectReceived = true;
        Authentication = exchange.Authentication;
        HasSessionExpiry = exchange.HasSessionExpiry;
        OutgoingTopicAliases = exchange.OutgoingTopicAliases;
        _sendsReasonStrings = exchange.RequestsProblemInformation && Version == ProtocolVersion.Mqtt5;
        await exchange.AttachAsync();
        if (IsClosing || Session is not { } session)
        {
            return false;
        }

        _acknowledgements = _context.Acknowledgements.Get(session.SessionPartition);
        _dispatcher = new PacketDispatcher(this, _context);
        _lastActive = _context.Deadlines.Now;
        _keepAliveTicks = DeadlineWheel.ToTicks(TimeSpan.FromSeconds(exchange.KeepAlive * 1.5));
        if (session.SystemSubscriptions is { } subscriptions)
        {
            _context.SystemTopics.Resume(this, subscriptions);
        }

        _isAccepted = true;
        _context.Metrics.ClientConnected();
        Output.Open(exchange.MakeConnAck(session));
        _context.Deadlines.Add(this, _lastActive + _keepAliveTicks + 1);
        _context.Logger.ClientConnected(ClientId, Version switch { ProtocolVersion.Mqtt5 => "5", ProtocolVersion.Mqtt311 => "3.1.1", _ => "3.1" }, Id);
        return true;
    }

    private async ValueTask ReadAsync()
    {
        // Nothing from here on blocks; what comes before may (authentication, which a client with a method may repeat at any time), and what comes after.
        Inline?.ReadsInline = Authentication is null;
        var input = _transport.Input;
        var isHeard = true;
        long unfinished = 0;
        while (true)
        {
            if (isHeard)
            {
                Volatile.Write(ref _lastActive, _context.Deadlines.Time);
            }

            _isReading = true;
            var result = await input.ReadAsync();
            _isReading = false;
            if (IsClosing)
            {
                return;
            }

            var buffer = result.Buffer;
            var (received, left) = (buffer.Length, 0L);
            try
            {
                while (!IsClosing && _dispatcher!.TakeNext(ref buffer) is { } operation)
                {
                    await ExecuteAsync(operation);
                }
            }
            catch (MqttProtocolException)
            {
                // What came before the bad packet counts.
                if (_dispatcher!.TakeRun() is { } run)
                {
                    await ExecuteAsync(run);
                }

                throw;
            }
            finally
            {
                left = buffer.Length;
                input.AdvanceTo(buffer.Start, buffer.End);
                _dispatcher!.CountReceived();
            }

            // Packets keep a connection alive ([MQTT-3.1.2-22]); single bytes that never become one do not, but a large one may take long to come.
            isHeard = left < received || left - unfinished >= LivelyBytes;
            unfinished = isHeard ? left : unfinished;
            if (result.IsCompleted && !IsClosing)
            {
                Close(CloseReason.Lost("The client closed the connection without DISCONNECT."));
                return;
            }
        }
    }

    private async ValueTask ExecuteAsync(object operation)
    {
        if (operation is not InboundRun run || await Publishes!.TakeCreditAsync(run, _whenClosing))
        {
            await _operations.ExecuteAsync(operation);
        }
    }
}
