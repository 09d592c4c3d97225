namespace OrleansMqtt.Grains;

/// <summary>Limits of sessions. Configuration section <c>Sessions</c>.</summary>
public sealed class SessionsOptions
{
    /// <summary>The greatest number of unacknowledged QoS 1 and 2 messages sent to a client, if its Receive Maximum is not smaller; 1 to 65,535.</summary>
    public int MaximumInflight { get; set; } = 256;

    /// <summary>The bytes of payload that may be unacknowledged per client; the first message is always sent.</summary>
    public int MaximumInflightBytes { get; set; } = 1 << 20;

    /// <summary>The greatest number of messages that wait for a client, as references into the log (16 bytes each).</summary>
    public int MaximumQueuedMessages { get; set; } = 100_000;

    /// <summary>The same for a shared subscription, whose members have one mailbox together; from a sixteenth of it on, publishers are slowed down if its members could take more.</summary>
    public int MaximumQueuedSharedMessages { get; set; } = 1_000_000;

    /// <summary>The greatest number of subscriptions of a session; more are refused; 1 to 100,000.</summary>
    public int MaximumSubscriptions { get; set; } = 1_000;

    /// <summary>How much of what was read back for mailboxes is kept in a silo for other clients that want the same, in bytes.</summary>
    public long ReadBackBytes { get; set; } = 64 << 20;

    /// <summary>What is dropped, and counted, when more than <see cref="MaximumQueuedMessages"/> or <see cref="MaximumQueuedSharedMessages"/> wait.</summary>
    public MailboxOverflow Overflow { get; set; } = MailboxOverflow.DropNewest;

    /// <summary>The longest Session Expiry Interval in seconds; what clients want beyond it is cut (MQTT 5, 3.2.2.3.2). 4,294,967,295: sessions need not end.</summary>
    public uint MaximumExpirySeconds { get; set; } = uint.MaxValue;

    /// <summary>Whether connects and disconnects are written to the sessions topic, for programs that follow it.</summary>
    public bool Presence { get; set; } = true;
}
