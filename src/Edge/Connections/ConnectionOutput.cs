using System.IO.Pipelines;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// What goes to one client: any thread enqueues, one thread at a time writes into the transport's pipe and flushes once a run. While the client does not read, nothing is
/// written: deliveries wait in the queue, those of QoS 0 within <see cref="Configuration.EdgeOptions.ConnectionOutboundBytes"/>, those of QoS 1 and 2 within the session's window.
/// </summary>
internal sealed class ConnectionOutput(MqttConnection connection, EdgeContext context, PipeWriter pipe)
{
    /// <summary>Written between two flushes at most (and one packet).</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>More items than a window can hold: whoever sends them is broken, or the client asks and does not read the answers.</summary>
    private const int MaximumItems = 2 * ushort.MaxValue;

    private const int Idle = 0;
    private const int Active = 1;
    private const int ActiveAgain = 2;

    private readonly Lock _gate = new();
    private OutputQueue _queue = new();
    private OutgoingTopicAliases? _aliases;
    private int _state;
    private bool _isOpen;
    private byte[]? _connAck;
    private volatile bool _isClosed;
    private TaskCompletionSource? _finished;
    private byte[]? _lastPacket;
    private bool _isLastWritten;

    /// <summary>Bytes that wait, about.</summary>
    public long QueuedBytes => _queue.Bytes;

    /// <summary>Sends CONNACK; deliveries that came before it follow it.</summary>
    public void Open(byte[] connAck)
    {
        _connAck = connAck;
        Volatile.Write(ref _isOpen, true);
        Schedule();
    }

    /// <summary>Enqueues a packet that is already encoded, and sees to it that it is sent. One that is larger than the client takes ends the connection ([MQTT-3.1.2-24]).</summary>
    public void Send(byte[] packet)
    {
        if (packet.Length > connection.ClientMaximumPacketSize)
        {
            connection.Close(CloseReason.Server(ReasonCode.PacketTooLarge, "An answer is larger than the client's Maximum Packet Size."));
        }
        else if (TryAppend(new OutputItem { Packet = packet }, out _))
        {
            Schedule();
        }
    }

    /// <summary>Enqueues a PUBREL or PUBCOMP, and sees to it that it is sent.</summary>
    public void SendAcknowledgement(PacketType type, ushort packetId, ReasonCode reasonCode)
    {
        if (TryEnqueueAcknowledgement(type, packetId, (byte)reasonCode, out _))
        {
            Schedule();
        }
    }

    /// <summary>Enqueues a message; the caller calls <see cref="Schedule"/> afterwards when the queue was empty. False when it is dropped.</summary>
    public bool TryEnqueue(MqttMessage message, in Delivery delivery, int[]? subscriptionIdentifiers, out bool wasEmpty) => TryAppend(
        new OutputItem
        {
            Packet = message,
            SubscriptionIdentifiers = subscriptionIdentifiers,
            PacketId = delivery.PacketId,
            QoS = delivery.QoS,
            IsDuplicate = delivery.IsDuplicate,
            // Before MQTT 5 what comes while the subscription is established is no retained message ([MQTT-3.3.1-9]), whatever an MQTT 5 connection of the session asked for.
            IsRetained = delivery.IsRetained && (delivery.Source < 0 || connection.Version == ProtocolVersion.Mqtt5),
            IsPaced = delivery.IsPaced,
        },
        out wasEmpty);

    /// <summary>Enqueues a mark, as a message is.</summary>
    public bool TryEnqueueMark(out bool wasEmpty) => TryAppend(new OutputItem { IsMark = true }, out wasEmpty);

    /// <summary>Enqueues a PUBREL or PUBCOMP, as a message is.</summary>
    public bool TryEnqueueAcknowledgement(PacketType type, ushort packetId, byte reasonCode, out bool wasEmpty)
        => TryAppend(new OutputItem { Acknowledgement = type, PacketId = packetId, QoS = connection.Version == ProtocolVersion.Mqtt5 ? reasonCode : (byte)0 }, out wasEmpty);

    /// <summary>Sees to it that what is enqueued and acknowledged is written.</summary>
    public void Schedule()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            if (state == ActiveAgain)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _state, state + 1, state) == state)
            {
                if (state == Idle)
                {
                    context.OutputWriters.Add(this);
                }

                return;
            }
        }
    }

    /// <summary>Sends a last packet after the answers that are due, drops what waits, and completes when all is handed to the transport.</summary>
    public Task FinishAsync(byte[]? lastPacket)
    {
        lock (_gate)
        {
            if (_finished is null)
            {
                _finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _lastPacket = lastPacket;
                _queue.Drop();
                if (_isClosed)
                {
                    _finished.TrySetResult();
                }
            }
        }

        Schedule();
        return _finished.Task;
    }

    /// <summary>Drops everything from now on. Only who writes calls this: afterwards nothing touches the pipe, and its memory may be given back.</summary>
    private void Abandon()
    {
        lock (_gate)
        {
            _isClosed = true;
            _queue.Drop();
            _finished?.TrySetResult();
        }
    }

    /// <summary>Writes what is due; called by <see cref="OutputWriters"/>.</summary>
    public void Run()
    {
        while (true)
        {
            Volatile.Write(ref _state, Active);
            if (_isClosed)
            {
                if (Interlocked.CompareExchange(ref _state, Idle, Active) == Active)
                {
                    return;
                }

                continue;
            }

            try
            {
                var more = Write();
                var flush = pipe.FlushAsync();
                if (!flush.IsCompletedSuccessfully)
                {
                    _ = ContinueAfterAsync(flush, more);
                    return;
                }

                if (!AfterFlush(flush.Result, more))
                {
                    return;
                }
            }
            catch (Exception exception)
            {
                Fail(exception);
                return;
            }
        }
    }

    private async Task ContinueAfterAsync(ValueTask<FlushResult> flush, bool more)
    {
        try
        {
            if (AfterFlush(await flush, more))
            {
                context.OutputWriters.Add(this);
            }
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    /// <summary>Returns whether there is something to write again.</summary>
    private bool AfterFlush(FlushResult result, bool more)
    {
        if (result.IsCompleted || result.IsCanceled || _isLastWritten)
        {
            Abandon();
        }

        return more || Interlocked.CompareExchange(ref _state, Idle, Active) != Active;
    }

    /// <summary>The transport is gone, or the connection was ended while this was writing.</summary>
    private void Fail(Exception exception)
    {
        Abandon();
        Volatile.Write(ref _state, Idle);
        connection.Close(CloseReason.Lost(exception.Message));
    }

    /// <summary>Writes what is due; returns whether more is left than fits before a flush.</summary>
    private bool Write()
    {
        if (!Volatile.Read(ref _isOpen))
        {
            if (Volatile.Read(ref _finished) is not null)
            {
                WriteLast();
            }

            return false;
        }

        var output = new OutputBuffer(pipe);
        if (_connAck is { } connAck)
        {
            // Before all answers: what followed CONNECT at once may be stored by now ([MQTT-3.2.0-1]).
            _connAck = null;
            output.Write(connAck);
        }

        if (connection.Publishes?.WriteAnswers(ref output) is { } error)
        {
            connection.OnPublishFailed(error);
        }

        var more = WriteQueue(ref output);
        output.Commit();
        if (!more && Volatile.Read(ref _finished) is not null)
        {
            WriteLast();
        }

        return more;
    }

    private void WriteLast()
    {
        if (Interlocked.Exchange(ref _lastPacket, null) is { } last)
        {
            last.CopyTo(pipe.GetSpan(last.Length));
            pipe.Advance(last.Length);
        }

        _isLastWritten = true;
    }

    private bool WriteQueue(ref OutputBuffer output)
    {
        var sent = default(QoSCounts);
        var expired = 0;
        long payload = 0;
        long now = 0;
        while (output.Written < FlushBytes && (!_queue.IsTakenWritten || TakeQueue()))
        {
            var item = _queue.Next();
            if (item.Packet is not MqttMessage message)
            {
                WritePacket(ref output, item);
                continue;
            }

            uint? remaining = null;
            if (message.Properties?.ExpiryIntervalSeconds is { } interval)
            {
                now = now != 0 ? now : context.Time.GetUtcNow().ToUnixTimeMilliseconds();
                var elapsed = message.TimestampMilliseconds > 0 ? Math.Max(0, now - message.TimestampMilliseconds) / 1000 : 0;
                if (elapsed >= interval && !item.IsDuplicate)
                {
                    expired++;
                    NotSent(item);
                    continue;
                }

                // What was sent once is sent again whatever its age ([MQTT-4.3.3-7]).
                remaining = (uint)Math.Max(0, interval - elapsed);
            }

            if (!TryWrite(ref output, message, item, remaining))
            {
                context.Metrics.Dropped(1, "too-large");
                NotSent(item);
            }
            else
            {
                sent[item.QoS]++;
                output.Packets++;
                payload += message.Payload.Length;
            }
        }

        if (output.Written > 0)
        {
            context.Metrics.Sent(output.Written, output.Packets, payload, sent);
        }

        if (expired > 0)
        {
            context.Metrics.Dropped(expired, "expired");
        }

        return !_queue.IsTakenWritten || _queue.Count > 0;
    }

    /// <summary>Writes a message; false, with nothing written, when it would be larger than the client takes.</summary>
    private bool TryWrite(ref OutputBuffer output, MqttMessage message, in OutputItem item, uint? remainingExpiry)
    {
        var header = new PublishHeader
        {
            PacketId = item.PacketId,
            QoS = item.QoS,
            IsDuplicate = item.IsDuplicate,
            IsRetained = item.IsRetained,
            RemainingExpiry = remainingExpiry,
            SubscriptionIdentifiers = item.SubscriptionIdentifiers,
        };
        var maximum = connection.ClientMaximumPacketSize;
        if (connection.OutgoingTopicAliases == 0)
        {
            return PublishWriter.TryWrite(ref output, connection.Version, message, header, maximum);
        }

        _aliases ??= new OutgoingTopicAliases(connection.OutgoingTopicAliases);
        var alias = _aliases.Choose(message.Topic);
        if (!PublishWriter.TryWrite(ref output, connection.Version, message, header with { Alias = alias }, maximum))
        {
            // An alias that the client does not know yet makes it longer.
            return alias is { Number: > 0, IsKnown: false } && PublishWriter.TryWrite(ref output, connection.Version, message, header, maximum);
        }

        if (alias is { Number: > 0, IsKnown: false })
        {
            _aliases.Assign(alias, message.Topic);
        }

        return true;
    }

    private void WritePacket(ref OutputBuffer output, in OutputItem item)
    {
        if (item.IsMark)
        {
            connection.Acknowledge(0, AcknowledgementKind.Written, 0);
        }
        else if (item.Packet is byte[] packet)
        {
            output.Write(packet);
            output.Packets++;
        }
        else
        {
            output.WriteAcknowledgement(item.Acknowledgement, item.PacketId, item.QoS, connection.GetReasonString(item.QoS));
        }
    }

    private void NotSent(in OutputItem item)
    {
        if (item.QoS > 0)
        {
            connection.Acknowledge(item.PacketId, AcknowledgementKind.NotSent, 0);
        }
    }

    private bool TakeQueue()
    {
        lock (_gate)
        {
            return _queue.Take();
        }
    }

    private bool TryAppend(in OutputItem item, out bool wasEmpty)
    {
        var isDroppable = item is { Packet: MqttMessage, QoS: 0, IsPaced: false };
        lock (_gate)
        {
            wasEmpty = _queue.Count == 0;
            if (_isClosed || _finished is not null)
            {
                return false;
            }

            if (isDroppable ? _queue.Bytes <= context.Options.ConnectionOutboundBytes : _queue.Count < MaximumItems)
            {
                _queue.Append(item);
                return true;
            }
        }

        if (isDroppable)
        {
            context.Metrics.Dropped(1, "slow-client");
        }
        else
        {
            connection.Close(CloseReason.Server(ReasonCode.QuotaExceeded, "More packets wait for this client than it may leave unread."));
        }

        return false;
    }
}
