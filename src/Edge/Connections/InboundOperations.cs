using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// What one client asks of the grains, in the order of receipt. A publish is handed over by the reading loop itself; behind a SUBSCRIBE or UNSUBSCRIBE that is under way, or
/// a publish that takes another path than those before it, everything waits in a bounded queue, while the loop reads on and answers pings.
/// </summary>
internal sealed class InboundOperations(MqttConnection connection, EdgeContext context)
{
    private const int MaximumQueued = 64;

    /// <summary>How long a SUBSCRIBE or UNSUBSCRIBE waits for a new owner of the session's partition.</summary>
    private static readonly TimeSpan OwnerPatience = TimeSpan.FromSeconds(20);

    private readonly Lock _gate = new();
    private Queue<object>? _queue;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _drained;
    private bool _isRunning;
    private volatile bool _isStopped;

    /// <summary>Runs or queues an <see cref="InboundRun"/> whose credit is taken, a <see cref="SubscribePacket"/> or an <see cref="UnsubscribePacket"/>.</summary>
    public ValueTask ExecuteAsync(object operation)
    {
        lock (_gate)
        {
            if (_isRunning)
            {
                (_queue ??= new()).Enqueue(operation);
                if (_queue.Count < MaximumQueued)
                {
                    return default;
                }

                _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return new(_room.Task);
            }

            if (operation is InboundRun run && !connection.Publishes!.MustWait(run))
            {
                return HandOverAsync(run);
            }

            _isRunning = true;
        }

        _ = RunAsync(operation);
        return default;
    }

    /// <summary>Hands over no more publishes.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>Completes when everything that was queued is done.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            return _isRunning ? (_drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
        }
    }

    private async Task RunAsync(object? operation)
    {
        do
        {
            switch (operation)
            {
                case InboundRun run:
                    await connection.Publishes!.WaitForOtherPathAsync(run);
                    await HandOverAsync(run);
                    break;
                case SubscribePacket subscribe when !connection.IsClosing:
                    await SubscribeAsync(subscribe);
                    break;
                case UnsubscribePacket unsubscribe when !connection.IsClosing:
                    await UnsubscribeAsync(unsubscribe);
                    break;
            }

            lock (_gate)
            {
                if (_queue is null || !_queue.TryDequeue(out operation))
                {
                    operation = null;
                    _queue = null;
                    _isRunning = false;
                    _drained?.TrySetResult();
                }

                _room?.TrySetResult();
                _room = null;
            }
        }
        while (operation is not null);
    }

    private ValueTask HandOverAsync(InboundRun run)
    {
        // First counted, then checked: a takeover that stops this waits for what was counted.
        var publishes = connection.Publishes!;
        publishes.Add(run);
        if (context.IsFrozen)
        {
            connection.CloseFrozen();
        }

        if (_isStopped || publishes.HasFailed)
        {
            run.Abandon(_isStopped ? "The connection was taken over." : "An earlier message was not stored.");
            return default;
        }

        switch (run)
        {
            case PublishRun toLog:
                return PublishAsync(toLog);
            case SessionRun toSession:
                context.InboundQoS2.Get(toSession.Partition).Add(toSession);
                break;
            case RetainedRun toRetained:
                context.Retained.Get(toRetained.Partition).Add(toRetained);
                break;
            case AnswerRun answers:
                answers.Settle();
                break;
        }

        return default;
    }

    private async ValueTask PublishAsync(PublishRun run)
    {
        using var activity = EdgeMetrics.Activities.HasListeners() ? EdgeMetrics.Activities.StartActivity("mqtt publish") : null;
        activity?.SetTag("messaging.destination.name", run.Topic.Name).SetTag("messaging.batch.message_count", run.Count);
        try
        {
            await run.Topic.Grain.Publish(run.TakeBatch());
        }
        catch (Exception exception)
        {
            activity?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, exception.Message);
            connection.CloseUnavailable(exception);
            run.Abandon(exception.Message);
        }
    }

    private async Task SubscribeAsync(SubscribePacket packet)
    {
        try
        {
            var codes = (byte[])packet.Refusals.Clone();
            var accepted = Array.FindAll(packet.Subscriptions, static subscription => subscription is not null);
            if (accepted.Length > 0)
            {
                var result = await AskOwnerAsync(
                    client => client.Subscribe(connection.Session.Epoch, accepted!),
                    answer =>
                    {
                        if (answer.ReasonCodes is { } codes)
                        {
                            connection.Subscriptions.Add(accepted!, codes, answer.Starts ?? []);
                        }
                    });
                if (result.ReasonCodes is not { } granted)
                {
                    connection.Close(CloseReason.TakenOver);
                    return;
                }

                for (int i = 0, next = 0; i < codes.Length; i++)
                {
                    codes[i] = packet.Subscriptions[i] is null ? codes[i] : granted[next++];
                }
            }

            SendSubAck(packet.PacketId, codes);
            for (var i = 0; i < codes.Length; i++)
            {
                if (codes[i] < 0x80)
                {
                    context.SystemTopics.Subscribe(connection, packet.Subscriptions[i]!);
                }
            }
        }
        catch (Exception exception)
        {
            connection.CloseUnavailable(exception);
        }
    }

    /// <summary>
    /// Changes subscriptions. Those of a session that is not stored are known to its owner and to its edge: an answer that comes when the edge has handed the connection over is
    /// one of the owner before, and the change is asked of the next one too.
    /// </summary>
    private async ValueTask<TResult> AskOwnerAsync<TResult>(Func<IClientSessionGrain, ValueTask<TResult>> ask, Action<TResult> hold)
    {
        while (true)
        {
            var handedOverTo = connection.HandedOverTo;
            var result = await AskAsync(ask);
            if (connection.Session.SessionExpirySeconds > 0)
            {
                return result;
            }

            hold(result);
            if (connection.HandedOverTo == handedOverTo)
            {
                return result;
            }
        }
    }

    /// <summary>Asks the client's grain, and again while its partition moves: to subscribe twice does no harm.</summary>
    private async ValueTask<TResult> AskAsync<TResult>(Func<IClientSessionGrain, ValueTask<TResult>> ask)
    {
        var begun = context.Time.GetTimestamp();
        for (var pause = RetryPause.Shortest; ; pause = RetryPause.After(pause))
        {
            try
            {
                return await ask(context.Grains.GetClient(connection.ClientId));
            }
            catch (Exception exception) when (exception is not TimeoutException && !connection.IsClosing && context.Time.GetElapsedTime(begun) < OwnerPatience)
            {
                context.Logger.SessionCallFailed(connection.ClientId, exception.Message);
            }

            await Task.Delay(pause, context.Time);
        }
    }

    private void SendSubAck(ushort packetId, byte[] codes)
    {
        var refusal = Array.Find(codes, static code => code >= 0x80);
        if (refusal != 0 && connection.Version != ProtocolVersion.Mqtt5)
        {
            // MQTT 3.1.1 knows one code for failure, MQTT 3.1 none: there a client is not told.
            codes = Array.ConvertAll(codes, code => code < 0x80 ? code : connection.Version == ProtocolVersion.Mqtt311 ? (byte)0x80 : (byte)0);
        }

        connection.Output.Send(PacketWriter.SubAck(connection.Version, packetId, codes, connection.GetReasonString(refusal), connection.ClientMaximumPacketSize));
    }

    private async Task UnsubscribeAsync(UnsubscribePacket packet)
    {
        try
        {
            bool[]? before = null;
            var result = await AskOwnerAsync(
                client => client.Unsubscribe(connection.Session.Epoch, packet.Filters),
                answer =>
                {
                    connection.Subscriptions.Remove(packet.Filters);
                    before ??= answer.Existed;
                });
            if ((result.Existed is null ? null : before ?? result.Existed) is not { } existed)
            {
                connection.Close(CloseReason.TakenOver);
                return;
            }

            context.SystemTopics.Unsubscribe(connection, packet.Filters);
            var codes = Array.ConvertAll(existed, static existed => (byte)(existed ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted));
            connection.Output.Send(PacketWriter.UnsubAck(connection.Version, packet.PacketId, codes));
        }
        catch (Exception exception)
        {
            connection.CloseUnavailable(exception);
        }
    }
}
