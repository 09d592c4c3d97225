using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.LoadGenerator.Sockets;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Publishes a fixed number of messages in turn to the topics of all subscribers that are its share.</summary>
internal sealed class BacklogPublisher : WindowPublisher
{
    private readonly PublishTemplate[] _templates;
    private readonly int _index;
    private uint _round;
    private int _next;

    public BacklogPublisher(Worker worker, string clientId, int index)
        : base(worker, clientId)
    {
        _index = index;
        _templates = [.. Topics().Select(topic => new PublishTemplate(Settings.Protocol, Settings.TopicOf(topic), QualityOfService, Settings.PayloadLength))];
    }

    /// <summary>How many messages a subscriber gets.</summary>
    public static long MessagesOf(LoadSettings settings, int subscriber) =>
        (settings.Messages / settings.Subscribers) + (subscriber < settings.Messages % settings.Subscribers ? 1 : 0);

    protected override bool TryAppendNext(SendBuffer buffer)
    {
        if (_next >= _templates.Length)
        {
            return false;
        }

        int topic = _index + (_next * Settings.Publishers);
        if (_round >= MessagesOf(Settings, topic))
        {
            // Earlier subscribers get one more than later ones: the end.
            _next = _templates.Length;
            return false;
        }

        long now = RunClock.Now;
        var template = _templates[_next];
        template.Write(buffer.Reserve(template.Length), InFlight.Add(_round, now), new MessageHeader((uint)topic, _round, now));
        if (++_next == _templates.Length)
        {
            _next = 0;
            _round++;
        }

        return true;
    }

    private IEnumerable<int> Topics()
    {
        for (int topic = _index; topic < Settings.Subscribers; topic += Settings.Publishers)
        {
            yield return topic;
        }
    }
}
