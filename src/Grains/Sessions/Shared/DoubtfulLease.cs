namespace OrleansMqtt.Grains;

/// <summary>
/// A lease of QoS 2 that an earlier owner of the group, or of the member's partition, has left open: whether the member has taken it, only the member knows. It is offered to that member again,
/// under its number, and to nobody else.
/// </summary>
internal readonly record struct DoubtfulLease(long Number, string ClientId, long Member, MessageReference Reference);
