namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>One SUBSCRIBE of a session, with the moments at which it began and ended for certain and at the most.</summary>
internal sealed class ModelSubscription(string filter, int options, bool isNew, bool mayBeNew, long sentAt)
{
    public string Filter => filter;

    public int QoS => options & 3;

    public long SentAt => sentAt;

    /// <summary>Retain As Published.</summary>
    public bool KeepsRetain => (options & 8) != 0;

    /// <summary>Whether its Retain Handling asks for retained messages for certain.</summary>
    public bool MustGetRetained => (options >> 4) == 0 || ((options >> 4) == 1 && isNew);

    /// <summary>Whether its Retain Handling may ask for retained messages.</summary>
    public bool MayGetRetained => (options >> 4) == 0 || ((options >> 4) == 1 && mayBeNew);

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
