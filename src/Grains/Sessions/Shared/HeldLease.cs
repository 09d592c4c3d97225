namespace OrleansMqtt.Grains;

/// <summary>A leased message that was sent to the client, or is about to be.</summary>
internal sealed class HeldLease(Membership membership, long number, byte qos)
{
    public Membership Membership { get; } = membership;

    public long Number { get; } = number;

    public byte QoS { get; } = qos;

    /// <summary>Whether the message is the session's own for good, and the group knows.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Whether it takes no room any more.</summary>
    public bool IsOver { get; set; }

    /// <summary>The message is the session's own, durably if the session is.</summary>
    public void Take()
    {
        IsTaken = true;
        Membership.End(Number, IsOver ? LeaseEndKind.Ended : LeaseEndKind.Taken);
    }
}
