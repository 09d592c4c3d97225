using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Publishes a fixed number of messages in turn to the topics of all subscribers that are its share, as fast as its window allows.</summary>
internal sealed class BacklogPublisher : Connection
{
    private const int SendSize = 64 * 1024;
    private readonly PublishTemplate[] _templates;
    private readonly int _index;
    private readonly int _qualityOfService;
    private readonly InFlightMessages _inFlight;
    private uint _round;
    private int _next;

    public BacklogPublisher(Worker worker, string clientId, int index)
        : base(worker, clientId)
    {
        _index = index;
        _qualityOfService = Settings.PublishQualityOfService;
        _inFlight = new InFlightMessages(Settings.Window == 0 ? ushort.MaxValue : Settings.Window);
        _templates = [.. Topics().Select(topic => new PublishTemplate(Settings.Protocol, Settings.TopicOf(topic), _qualityOfService, Settings.PayloadLength))];
    }

    /// <summary>How many messages a subscriber gets.</summary>
    public static long MessagesOf(LoadSettings settings, int subscriber) =>
        (settings.Messages / settings.Subscribers) + (subscriber < settings.Messages % settings.Subscribers ? 1 : 0);

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

    private IEnumerable<int> Topics()
    {
        for (int topic = _index; topic < Settings.Subscribers; topic += Settings.Publishers)
        {
            yield return topic;
        }
    }

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
        while (IsReady && _inFlight.Count < _inFlight.Limit && buffer.Length < SendSize && _next < _templates.Length)
        {
            int topic = _index + (_next * Settings.Publishers);
            if (_round >= MessagesOf(Settings, topic))
            {
                // Earlier subscribers get one more than later ones: the end.
                _next = _templates.Length;
                break;
            }

            long now = RunClock.Now;
            var template = _templates[_next];
            template.Write(buffer.Reserve(template.Length), _inFlight.Add(_round, now), new MessageHeader((uint)topic, _round, now));
            Worker.Counters.Published++;
            if (++_next == _templates.Length)
            {
                _next = 0;
                _round++;
            }
        }
    }
}
