using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

// The end: why, the last packet, and what the session hears of it.
internal sealed partial class MqttConnection
{
    /// <summary>How long a last packet may take to leave.</summary>
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(2);

    /// <summary>How long a takeover lets the connection read what its client had sent before: often its DISCONNECT.</summary>
    private static readonly TimeSpan LastReadTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>Ends the connection; only the first reason counts.</summary>
    public void Close(CloseReason reason)
    {
        if (Interlocked.CompareExchange(ref _closeReason, reason, null) is not null)
        {
            return;
        }

        try
        {
            _closing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself at the same moment.
        }

        _transport.Input.CancelPendingRead();
    }

    /// <summary>A grain does not answer, which happens while a silo stops or a partition moves.</summary>
    public void CloseUnavailable(Exception exception)
    {
        var code = _context.Connections.IsClosed ? ReasonCode.ServerShuttingDown : ReasonCode.ServerBusy;
        Close(new CloseReason(DisconnectCause.ByServer, code, $"The server cannot do this now ({exception.GetType().Name})."));
    }

    /// <summary>See <see cref="IEdgeService.CloseTakenOver"/>.</summary>
    public async Task<DisconnectNotice?> CloseTakenOverAsync()
    {
        if (HasUnread?.Invoke() == true)
        {
            var ended = new TaskCompletionSource();
            await using var registration = _whenClosing.UnsafeRegister(static ended => ((TaskCompletionSource)ended!).TrySetResult(), ended).ConfigureAwait(false);
            await Task.WhenAny(ended.Task, Task.Delay(LastReadTimeout, _context.Time));
        }

        Close(CloseReason.TakenOver);
        _operations.Stop();
        if (Publishes is { } publishes)
        {
            await publishes.WaitUntilSettledAsync();
        }

        // What the client has acknowledged does not come again.
        await (_acknowledgements?.WaitUntilSentAsync() ?? Task.CompletedTask);

        // The session may not have heard yet that the client had ended the connection itself.
        return _closeReason is { } reason && reason != CloseReason.TakenOver ? reason.ToNotice() : null;
    }

    /// <summary>This process did not run for a while: nothing that the client had sent counts any more.</summary>
    public void CloseFrozen()
    {
        Close(CloseReason.Frozen);
        _operations.Stop();
    }

    /// <summary>A publish was not stored: it and all after it stay unacknowledged.</summary>
    public void OnPublishFailed(string error)
    {
        if (!IsClosing)
        {
            _context.Logger.PublishFailed(ClientId, error);
        }

        Close(new CloseReason(DisconnectCause.ByServer, ReasonCode.ImplementationSpecificError, "A message could not be stored."));
    }

    private async Task EndAsync()
    {
        var reason = _closeReason ?? CloseReason.Lost("The connection was lost.");
        Close(reason);
        _context.Deadlines.Remove(this);
        Authentication?.Dispose();
        await SayFarewellAsync(reason);
        if (!reason.IsByClient)
        {
            await CompleteTransportAsync();
        }

        _context.SystemTopics.Remove(this);
        _context.Metrics.ConnectionClosed(reason.Tag);
        if (_isAccepted)
        {
            _context.Metrics.ClientGone();
        }

        if (reason.IsWarning)
        {
            _context.Logger.ClientClosed(ClientId, _remote?.ToString() ?? "", reason.Text);
        }
        else
        {
            _context.Logger.ClientGone(ClientId, Id, reason.Text);
        }

        if (reason != CloseReason.TakenOver)
        {
            await _operations.DrainAsync();
        }

        // What the client published comes before its will, and what the session is to store before its end.
        if (Publishes is { } publishes)
        {
            await publishes.WaitUntilSettledAsync();
        }

        // Its owner may not know that it was taken over: a later one, or one that has answered only since.
        if (reason != CloseReason.TakenOver || HandedOverTo > 0 || !_isAccepted)
        {
            // Its acknowledgements count still.
            await (_acknowledgements?.WaitUntilSentAsync() ?? Task.CompletedTask);
            await TellSessionAsync(reason.ToNotice());
        }

        if (reason.IsByClient)
        {
            // Who waits for this knows that the will is dropped and the session's new expiry counts.
            await CompleteTransportAsync();
        }

        _context.Connections.Remove(this);
        Dispose();
    }

    private async Task CompleteTransportAsync()
    {
        await _transport.Output.CompleteAsync();
        await _transport.Input.CompleteAsync();
    }

    /// <summary>Sends the last packet, for as long as that may take.</summary>
    private async Task SayFarewellAsync(CloseReason reason)
    {
        byte[]? last = null;
        if (reason.Code is { } code && Version != default)
        {
            if (!_isAccepted)
            {
                last = PacketWriter.ConnAckRefusal(Version, code, reason.Text, ClientMaximumPacketSize, reason.ServerReference);
            }
            else if (Version == ProtocolVersion.Mqtt5)
            {
                last = PacketWriter.Disconnect(code, reason.Text, ClientMaximumPacketSize, reason.ServerReference);
            }
        }

        var finished = Output.FinishAsync(last);
        try
        {
            await finished.WaitAsync(FarewellTimeout, _context.Time);
            // Bytes that stay unread would make the operating system reset the connection, and the client lose the last packet.
            while (_transport.Input.TryRead(out var unread) && !unread.Buffer.IsEmpty)
            {
                _transport.Input.AdvanceTo(unread.Buffer.End);
            }
        }
        catch (TimeoutException)
        {
            // The client does not read. The pipe may be completed only when nothing writes into it any more.
            _abort();
            await finished;
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The transport ended before the farewell.
        }
    }

    /// <summary>Until it has heard: else its will would never be published, nor would it ever end.</summary>
    private async Task TellSessionAsync(DisconnectNotice notice)
    {
        if (SessionPartition == NoPartition)
        {
            return;
        }

        var session = _context.Grains.GetClient(ClientId);
        var begun = _context.Time.GetTimestamp();
        for (var pause = RetryPause.Shortest; ; pause = RetryPause.After(pause))
        {
            try
            {
                await (Session is null ? session.Abandon(_context.Grains.Edge, Id) : session.Disconnect(Session.Epoch, notice));
                return;
            }
            catch (Exception exception)
            {
                _context.Logger.DisconnectFailed(ClientId, exception.Message);
            }

            if (_context.Connections.IsClosed && _context.Time.GetElapsedTime(begun) >= _context.Options.ShutdownTimeout)
            {
                // The next server finds the connection in the session's record.
                return;
            }

            await Task.Delay(pause, _context.Time);
        }
    }
}
