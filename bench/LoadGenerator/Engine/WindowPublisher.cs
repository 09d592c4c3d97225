using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.LoadGenerator.Sockets;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Publishes a fixed share of messages, as fast as its window allows.</summary>
internal abstract class WindowPublisher(Worker worker, string clientId) : Connection(worker, clientId)
{
    private const int SendSize = 64 * 1024;

    protected int QualityOfService { get; } = worker.Context.Settings.PublishQualityOfService;

    protected InFlightMessages InFlight { get; } = new(worker.Context.Settings.Window == 0 ? ushort.MaxValue : worker.Context.Settings.Window);

    /// <summary>Puts the next message of the share into the buffer; false when there is none.</summary>
    protected abstract bool TryAppendNext(SendBuffer buffer);

    protected override void OnConnAck(in ConnAck connAck) => InFlight.Limit = Math.Max(1, Math.Min(InFlight.Limit, connAck.ReceiveMaximum));

    protected override void OnPacket(PacketType type, byte first, ReadOnlySpan<byte> body, long now)
    {
        var (packetId, reason) = type is PacketType.PubAck or PacketType.PubRec or PacketType.PubComp ? PacketReader.ReadAcknowledgement(body) : default;
        switch (type)
        {
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp when reason >= 0x80:
                Fail($"a publish was refused with {ReasonText.OfReason(reason)}");
                break;
            case PacketType.PubRec when QualityOfService == 2:
                Acknowledge(PacketType.PubRel, packetId);
                break;
            case PacketType.PubAck when QualityOfService == 1:
            case PacketType.PubComp when QualityOfService == 2:
                if (InFlight.TryRemove(packetId, out _, out _))
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
        while (IsReady && InFlight.Count < InFlight.Limit && buffer.Length < SendSize && TryAppendNext(buffer))
        {
            Worker.Counters.Published++;
        }
    }
}
