using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Publishes its share of the retained topics, each once, as fast as its window allows.</summary>
internal sealed class RetainedPublisher(Worker worker, string clientId, int index) : Connection(worker, clientId)
{
    private const int SendSize = 64 * 1024;
    private readonly int _qualityOfService = worker.Context.Settings.PublishQualityOfService;
    private readonly InFlightMessages _inFlight = new(worker.Context.Settings.Window == 0 ? ushort.MaxValue : worker.Context.Settings.Window);
    private int _next = index;

    protected override void OnConnAck(in ConnAck connAck) => _inFlight.Limit = Math.Max(1, Math.Min(_inFlight.Limit, connAck.ReceiveMaximum));

    protected override void OnPacket(PacketType type, byte first, ReadOnlySpan<byte> body, long now)
    {
        var (packetId, reason) = type is PacketType.PubAck or PacketType.PubRec or PacketType.PubComp ? PacketReader.ReadAcknowledgement(body) : default;
        switch (type)
        {
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp when reason >= 0x80:
                Fail($"a publish was refused with {ReasonText.OfReason(reason)}");
                break;
            case PacketType.PubRec when _qualityOfService == 2:
                Acknowledge(PacketType.PubRel, packetId);
                break;
            case PacketType.PubAck when _qualityOfService == 1:
            case PacketType.PubComp when _qualityOfService == 2:
                if (_inFlight.TryRemove(packetId, out _, out _))
                {
                    Worker.Counters.Acknowledged++;
                }

                break;
            default:
                base.OnPacket(type, first, body, now);
                break;
        }
    }

    protected override void AfterRead(long now) => Pump();

    protected override void OnWritable() => Pump();

    private void Pump()
    {
        do
        {
            Append();
        }
        while (Worker.SendBuffer.Length > 0 && Flush() && IsReady);
    }

    private void Append()
    {
        var buffer = Worker.SendBuffer;
        while (IsReady && _inFlight.Count < _inFlight.Limit && buffer.Length < SendSize && _next < Settings.Messages)
        {
            long now = RunClock.Now;
            PublishTemplate packet = new(Settings.Protocol, RetainedRun.TopicOf(Settings, _next), _qualityOfService, Settings.PayloadLength, retain: true);
            packet.Write(buffer.Reserve(packet.Length), _inFlight.Add((uint)_next, now), new MessageHeader(0, (uint)_next, now));
            Worker.Counters.Published++;
            _next += Settings.Publishers;
        }
    }
}
