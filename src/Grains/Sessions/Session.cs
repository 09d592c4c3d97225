namespace OrleansMqtt.Grains;

/// <summary>A client's session, as its partition keeps it.</summary>
internal sealed class Session(string clientId, int slot, ConnectionEpoch epoch, EdgeOutbox edge, long connectionId, InflightWindow window)
{
    public string ClientId { get; } = clientId;

    /// <summary>Its place in the table.</summary>
    public int Slot { get; } = slot;

    public ConnectionEpoch Epoch { get; } = epoch;

    public EdgeOutbox Edge { get; } = edge;

    public long ConnectionId { get; } = connectionId;

    public InflightWindow Window { get; } = window;

    public Dictionary<string, SessionSubscription> Subscriptions { get; } = new(0, StringComparer.Ordinal);

    public Mailbox Mailbox { get; } = new();

    public bool IsEnded { get; set; }

    /// <summary>Whether the message at the head of the mailbox is being read from the log.</summary>
    public bool IsLoading { get; set; }

    /// <summary>Whether a message was dropped for it, which is logged once.</summary>
    public bool HasDropped { get; set; }

    /// <summary>The last message that matched it: several filters of a session that match one message make one delivery.</summary>
    public long MatchStamp { get; set; }

    /// <summary>The greatest QoS of the filters that matched.</summary>
    public byte MatchQoS { get; set; }
}
