namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>One SUBSCRIBE of a session, with the moments at which it began and ended for certain and at the most.</summary>
internal sealed class ModelSubscription(string filter, int qos, long sentAt)
{
    public string Filter => filter;

    public int QoS => qos;

    public long AcknowledgedAt { get; set; } = long.MaxValue;

    public long EndSentAt { get; set; } = long.MaxValue;

    public long EndedAt { get; set; } = long.MaxValue;

    public bool Matches(string topic)
    {
        if (filter.EndsWith("/#", StringComparison.Ordinal))
        {
            return topic.StartsWith(filter[..^1], StringComparison.Ordinal);
        }

        return filter.EndsWith("/+", StringComparison.Ordinal)
            ? topic.StartsWith(filter[..^1], StringComparison.Ordinal) && !topic[(filter.Length - 1)..].Contains('/', StringComparison.Ordinal)
            : topic == filter;
    }

    /// <summary>Acknowledged before the message was sent, and not ended since.</summary>
    public bool MustCover(ModelMessage message) => Matches(message.Topic) && AcknowledgedAt < message.SentAt && EndSentAt == long.MaxValue;

    /// <summary>There was a moment between the message's first sending and its end at which this may have counted.</summary>
    public bool MayCover(ModelMessage message) => Matches(message.Topic) && sentAt < message.EndedAt && message.SentAt < EndedAt;
}
