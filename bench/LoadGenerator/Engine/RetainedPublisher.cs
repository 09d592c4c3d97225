using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.LoadGenerator.Sockets;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Publishes its share of the retained topics, each once.</summary>
internal sealed class RetainedPublisher(Worker worker, string clientId, int index) : WindowPublisher(worker, clientId)
{
    private int _next = index;

    protected override bool TryAppendNext(SendBuffer buffer)
    {
        if (_next >= Settings.Messages)
        {
            return false;
        }

        long now = RunClock.Now;
        PublishTemplate packet = new(Settings.Protocol, RetainedRun.TopicOf(Settings, _next), QualityOfService, Settings.PayloadLength, retain: true);
        packet.Write(buffer.Reserve(packet.Length), InFlight.Add((uint)_next, now), new MessageHeader(0, (uint)_next, now));
        _next += Settings.Publishers;
        return true;
    }
}
