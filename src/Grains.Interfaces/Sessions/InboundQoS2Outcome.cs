namespace OrleansMqtt;

/// <summary>What became of an <see cref="InboundQoS2"/>.</summary>
public enum InboundQoS2Outcome : byte
{
    /// <summary>A PUBLISH: its message and identifier are durable, now or from before: PUBREC. A PUBREL: the identifier is forgotten: PUBCOMP.</summary>
    Done,

    /// <summary>A PUBREL whose identifier is not known: PUBCOMP with 0x92.</summary>
    NotFound,

    /// <summary>The connection is not the living one any more: no answer.</summary>
    Stale,

    /// <summary>A message that the log never takes, because it is too large for it: the connection is closed.</summary>
    NotStored,
}
