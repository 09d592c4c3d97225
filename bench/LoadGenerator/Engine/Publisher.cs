using System.Diagnostics;
using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>A client that publishes to one topic, by rate (each message at its scheduled time) or by window.</summary>
internal sealed class Publisher : Connection
{
    private const int SendSize = 64 * 1024;
    private const int SendsPerTurn = 4;

    private readonly PublishTemplate _template;
    private readonly string _topic;
    private readonly int _index;
    private readonly int _qualityOfService;
    private readonly bool _byRate;
    private readonly bool _byDelivery;
    private readonly double _ticksPerMessage;
    private readonly long _skippedRounds;
    private readonly long _startDelay;
    private long _due;
    private long _writtenOff;
    private long _lastDelivered;
    private long _lastProgress;

    public Publisher(Worker worker, string clientId, int index)
        : base(worker, clientId)
    {
        _index = index;
        _qualityOfService = Settings.PublishQualityOfService;
        _topic = Settings.TopicOf(index);
        _template = new PublishTemplate(Settings.Protocol, _topic, _qualityOfService, Settings.PayloadLength);
        _byRate = Settings.Rate > 0;
        _byDelivery = worker.Context.WindowByDelivery;
        _startDelay = RunClock.Ticks(Settings.Ramp * index / Settings.Publishers);
        InFlight = new InFlightMessages(Settings.Window == 0 || _byDelivery || _byRate ? ushort.MaxValue : Math.Min(Settings.Window, ushort.MaxValue));
        if (_byRate)
        {
            _ticksPerMessage = Stopwatch.Frequency / Settings.Rate;
            _skippedRounds = (long)(_startDelay / (_ticksPerMessage * Settings.Publishers));
        }
    }

    public InFlightMessages InFlight { get; }

    public int Index => _index;

    /// <summary>Messages sent; also the next sequence.</summary>
    public long Sent { get; private set; }

    public long Due => _due;

    /// <summary>In the worker's list of publishers that have something to send.</summary>
    public bool IsQueued { get; set; }

    /// <summary>By rate: one more message is due, unless the ramp has not reached this publisher in that round.</summary>
    public bool Schedule(long round)
    {
        if (round < _skippedRounds)
        {
            return false;
        }

        _due++;
        return true;
    }

    /// <summary>Sends what is due and allowed. True: there is more, but other connections come first.</summary>
    public bool Pump()
    {
        for (int turn = 0; turn < SendsPerTurn; turn++)
        {
            if (!IsReady || HasUnsent)
            {
                break;
            }

            long allowed = Allowed();
            if (allowed <= 0)
            {
                break;
            }

            Append(allowed);
            if (!Flush())
            {
                return false;
            }
        }

        Flush();
        return IsReady && !HasUnsent && Allowed() > 0;
    }

    protected override void OnConnAck(in ConnAck connAck) => InFlight.Limit = Math.Max(1, Math.Min(InFlight.Limit, connAck.ReceiveMaximum));

    protected override void OnPacket(PacketType type, byte first, ReadOnlySpan<byte> body, long now)
    {
        switch (type)
        {
            case PacketType.PubAck when _qualityOfService == 1:
            case PacketType.PubComp when _qualityOfService == 2:
                Complete(PacketReader.ReadAcknowledgement(body), now);
                break;
            case PacketType.PubRec when _qualityOfService == 2:
                var received = PacketReader.ReadAcknowledgement(body);
                if (received.Reason >= 0x80)
                {
                    Complete(received, now);
                }
                else if (InFlight.TryReceive(received.PacketId))
                {
                    Acknowledge(PacketType.PubRel, received.PacketId);
                }
                else
                {
                    Fail($"the server sent PUBREC for the unknown packet identifier {received.PacketId}");
                }

                break;
            default:
                base.OnPacket(type, first, body, now);
                break;
        }
    }

    protected override void AfterRead(long now)
    {
        if (Pump())
        {
            Worker.Queue(this);
        }
    }

    protected override void OnWritable() => Worker.Queue(this);

    private void Complete((ushort PacketId, byte Reason) acknowledgement, long now)
    {
        if (!InFlight.TryRemove(acknowledgement.PacketId, out uint sequence, out long ticks))
        {
            Fail($"the server acknowledged the unknown packet identifier {acknowledgement.PacketId}");
            return;
        }

        if (acknowledgement.Reason >= 0x80)
        {
            Worker.Counters.Refused++;
            Worker.Context.Errors.Report(new LoadException($"a publish was refused with {ReasonText.OfReason(acknowledgement.Reason)}"));
            _refused.Add(sequence);
            return;
        }

        Worker.Counters.Acknowledged++;
        if (Worker.Context.Clock.Measures(ticks))
        {
            Worker.Counters.Acknowledgement.Record(now - ticks);
        }

        Worker.Context.Ledger?.Add(_topic, sequence);
    }

    /// <summary>Sequences that nobody promised to deliver.</summary>
    public IEnumerable<uint> NotPromised() => InFlight.Unacknowledged().Concat(_refused);

    private readonly List<uint> _refused = [];

    private long Allowed()
    {
        long allowed;
        if (_byRate)
        {
            allowed = Worker.Now < Worker.Context.Clock.Stop ? _due : 0;
        }
        else
        {
            var clock = Worker.Context.Clock;
            allowed = Worker.Now >= clock.Start && Worker.Now - clock.Start >= _startDelay && Worker.Now < clock.Stop ? long.MaxValue : 0;
        }

        if (_qualityOfService > 0)
        {
            int free = InFlight.Limit - InFlight.Count;

            // By window, a quarter of it is refilled in one send; one message per acknowledgement would cost a system call each.
            allowed = !_byRate && free * 4 < InFlight.Limit && InFlight.Count > 0 ? 0 : Math.Min(allowed, free);
        }

        return _byDelivery && allowed > 0 ? Math.Min(allowed, Settings.Window - Undelivered()) : allowed;
    }

    private long Undelivered()
    {
        long delivered = 0;
        foreach (long[] worker in Worker.Context.DeliveredOf)
        {
            delivered += Volatile.Read(ref worker[_index]);
        }

        delivered /= Settings.DeliveriesPerMessage;
        if (delivered != _lastDelivered)
        {
            _lastDelivered = delivered;
            _lastProgress = Worker.Now;
        }
        else if (_qualityOfService == 0 && Sent > delivered + _writtenOff && Worker.Now - _lastProgress > RunClock.Ticks(0.25) && _lastProgress > 0)
        {
            // Messages that the server dropped would close the window for ever.
            _writtenOff = Sent - delivered;
            _lastProgress = Worker.Now;
        }

        return Math.Max(0, Sent - delivered - _writtenOff);
    }

    private void Append(long allowed)
    {
        var buffer = Worker.SendBuffer;
        long now = RunClock.Now;
        long start = Worker.Context.Clock.Start;
        while (allowed-- > 0 && (buffer.Length == 0 || buffer.Length + _template.Length <= SendSize) && buffer.Free >= _template.Length)
        {
            // By rate, time counts from the moment a message should have been sent: a slow server cannot hide it by slowing the sender down.
            long ticks = _byRate ? start + (long)((_index + ((_skippedRounds + Sent) * Settings.Publishers)) * _ticksPerMessage) : now;
            ushort packetId = _qualityOfService > 0 ? InFlight.Add((uint)Sent, ticks) : (ushort)0;
            _template.Write(buffer.Reserve(_template.Length), packetId, new MessageHeader((uint)_index, (uint)Sent, ticks));
            Sent++;
            _due--;
            Worker.Counters.Published++;
        }
    }
}
