using System.Collections;
using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Subscribes once and takes the retained messages that this finds.</summary>
internal sealed class RetainedSubscriber(Worker worker, string clientId, string filter) : Connection(worker, clientId)
{
    private readonly BitArray _received = new(worker.Context.Settings.Messages);

    public long Duplicates { get; private set; }

    protected override string? Filter => filter;

    protected override void OnPacket(PacketType type, byte first, ReadOnlySpan<byte> body, long now)
    {
        switch (type)
        {
            case PacketType.Publish:
                var publish = ReceivedPublish.Read(first, body, Settings.Protocol);
                if (publish.QualityOfService > 0)
                {
                    Acknowledge(publish.QualityOfService == 1 ? PacketType.PubAck : PacketType.PubRec, publish.PacketId);
                }

                Receive(publish);
                break;
            case PacketType.PubRel:
                Acknowledge(PacketType.PubComp, PacketReader.ReadAcknowledgement(body).PacketId);
                break;
            default:
                base.OnPacket(type, first, body, now);
                break;
        }
    }

    private void Receive(in ReceivedPublish publish)
    {
        if (!publish.IsRetained || publish.Payload.Length != Settings.PayloadLength || MessageHeader.Read(publish.Payload).Sequence is var sequence && sequence >= (uint)_received.Length)
        {
            Worker.Counters.Foreign++;
        }
        else if (_received[(int)sequence])
        {
            Duplicates++;
        }
        else
        {
            _received[(int)sequence] = true;
            Worker.Counters.Delivered++;
        }
    }
}
