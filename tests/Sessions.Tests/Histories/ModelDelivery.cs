namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>A PUBLISH of QoS 1 or 2 to a session, by its packet identifier, from its first arrival until the identifier is used again.</summary>
internal sealed class ModelDelivery(ModelMessage message, int qos, long order, long receivedAt, int connection)
{
    public ModelMessage Message => message;

    public int QoS => qos;

    /// <summary>The place of its first arrival among all of the session.</summary>
    public long Order { get; set; } = order;

    public long ReceivedAt { get; set; } = receivedAt;

    /// <summary>The connection on which its PUBLISH came last.</summary>
    public int PublishedOn { get; set; } = connection;

    /// <summary>The connection on which it, or its PUBREL, came last.</summary>
    public int Connection { get; set; } = connection;

    /// <summary>It had RETAIN.</summary>
    public bool HadRetain { get; init; }

    /// <summary>PUBACK or PUBREC was sent; whether the server has read it is known only on the same connection.</summary>
    public bool IsAnswered { get; set; }

    /// <summary>QoS 2: PUBREL came.</summary>
    public bool IsReleased { get; set; }

    /// <summary>QoS 2: PUBCOMP was sent.</summary>
    public bool IsCompleted { get; set; }

    /// <summary>The packet identifier may be used for another message.</summary>
    public bool IsOver => QoS == 1 ? IsAnswered : IsCompleted;
}
