namespace OrleansMqtt.Grains;

/// <summary>What a full mailbox drops.</summary>
public enum MailboxOverflow
{
    /// <summary>The message that comes.</summary>
    DropNewest,

    /// <summary>The message that waits longest.</summary>
    DropOldest,
}
