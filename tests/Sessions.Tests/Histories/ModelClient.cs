using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Takes what one client sends and receives to the model, and knows which session is the client's.</summary>
internal sealed class ModelClient(string clientId, int protocol, HistoryModel model) : SessionObserver
{
    private ModelSession? _session;
    private ConnectOptions? _connecting;
    private bool _isConnected;
    private bool _isCrashing;

    /// <summary>What the server owes this client; nothing without a session.</summary>
    public IReadOnlyList<string> Missing()
    {
        lock (model.Sync)
        {
            return _session is null ? [] : [.. _session.Missing()];
        }
    }

    public bool HasMissing
    {
        get
        {
            lock (model.Sync)
            {
                return _session?.Missing().Any() == true;
            }
        }
    }

    /// <summary>Has what a server may forget that does not keep all in a crash.</summary>
    public bool IsHardToKeep
    {
        get
        {
            lock (model.Sync)
            {
                return _session is { IsPersistent: true } && (_connecting!.CleanStart || _session.HasReleases);
            }
        }
    }

    public void ServerCrashes()
    {
        _isCrashing = _isConnected;
        if (!_isConnected)
        {
            _session?.Crashed();
        }
    }

    public override void Connecting(ConnectOptions options)
    {
        using var step = model.Step(
            $"{clientId} -> CONNECT {protocol}{(options.CleanStart ? " clean" : "")} expiry {options.SessionExpiry} receive maximum {options.ReceiveMaximum}");
        _connecting = options;
        if (options.CleanStart)
        {
            _session = null;
        }
    }

    public override void Connected(bool sessionPresent)
    {
        using var step = model.Step($"{clientId} <- CONNACK{(sessionPresent ? " session present" : "")}");
        if (sessionPresent != _session is not null)
        {
            model.Fault($"{clientId}: Session Present is {sessionPresent}");
        }

        // Goes on with what the server has, so that one fault does not lead to others.
        _session = sessionPresent ? _session ?? new(clientId, model) : new(clientId, model);
        _session.IsPersistent = protocol == 5 ? _connecting!.SessionExpiry > 0 : !_connecting!.CleanStart;
        _session.ReceiveMaximum = _connecting.ReceiveMaximum;
        _session.Connected();
        _isConnected = true;
    }

    public override void Disconnected(string? reason)
    {
        using var step = model.Step($"{clientId} is disconnected{(reason is null ? "" : $": {reason}")}");
        if (reason is not null && !_isCrashing)
        {
            model.Fault($"{clientId}: {reason}");
        }

        if (_isCrashing)
        {
            _session?.Crashed();
        }

        _isConnected = _isCrashing = false;
        _session?.Disconnected();
        if (_session?.IsPersistent == false)
        {
            _session = null;
        }
    }

    public override void SessionEnded()
    {
        using var step = model.Step($"{clientId} -> DISCONNECT with expiry 0");
        _session = null;
    }

    public override void Subscribing(ushort packetId, string filter, int options)
    {
        using var step = model.Step($"{clientId} -> SUBSCRIBE {packetId} {filter} options {options:X2}");
        _session?.Subscribing(packetId, filter, options);
    }

    public override void Subscribed(ushort packetId, byte granted)
    {
        using var step = model.Step($"{clientId} <- SUBACK {packetId} {granted}");
        _session?.Subscribed(packetId, granted);
    }

    public override void Unsubscribing(ushort packetId, string filter)
    {
        using var step = model.Step($"{clientId} -> UNSUBSCRIBE {packetId} {filter}");
        _session?.Unsubscribing(packetId, filter);
    }

    public override void Unsubscribed(ushort packetId)
    {
        using var step = model.Step($"{clientId} <- UNSUBACK {packetId}");
        _session?.Unsubscribed(packetId);
    }

    public override void Publishing(OutgoingPublish publish, bool isDuplicate)
    {
        using var step = model.Step(
            $"{clientId} -> PUBLISH {Short(publish.Payload)} {publish.Topic} QoS {publish.QoS}{(isDuplicate ? " DUP" : "")}{(publish.IsRetained ? " RETAIN" : "")}");
        model.Publishing(clientId, publish, isDuplicate);
    }

    public override void Taken(OutgoingPublish publish)
    {
        using var step = model.Step($"{clientId} <- PUBREC {publish.PacketId} {Short(publish.Payload)}");
        model.Find(publish.Payload)!.IsPromised |= !model.Has(Deviations.TakesOverWithPubComp);
    }

    public override void Acknowledged(OutgoingPublish publish)
    {
        using var step = model.Step($"{clientId} <- {(publish.QoS == 2 ? "PUBCOMP" : "PUBACK")} {publish.PacketId} {Short(publish.Payload)}");
        var message = model.Find(publish.Payload)!;
        message.IsPromised = true;
        message.EndedAt = model.Now;
    }

    public override void Forgotten(OutgoingPublish publish)
    {
        using var step = model.Step($"{clientId} forgets {Short(publish.Payload)}");
    }

    public override void Received(IncomingPublish publish)
    {
        using var step = model.Step(
            $"{clientId} <- PUBLISH {publish.PacketId} {Short(publish.Payload)} QoS {publish.QoS}{(publish.IsDuplicate ? " DUP" : "")}{(publish.IsRetained ? " RETAIN" : "")}{(publish.IsNew ? "" : " (known)")}");
        if (model.Find(publish.Payload) is not { } message || message.Topic != publish.Topic)
        {
            model.Fault($"{clientId}: a message that nobody sent: {publish}");
        }
        else
        {
            _session?.Received(publish, message);
        }
    }

    public override void Released(ushort packetId)
    {
        using var step = model.Step($"{clientId} <- PUBREL {packetId}");
        _session?.Released(packetId);
    }

    public override void Answering(Answers kind, ushort packetId)
    {
        using var step = model.Step($"{clientId} -> {kind.ToString().ToUpperInvariant()} {packetId}");
        _session?.Answering(kind, packetId);
    }

    public override void Violated(string what) => model.Fault($"{clientId}: {what}");

    private static string Short(string payload) => payload.Split(' ')[0];
}
