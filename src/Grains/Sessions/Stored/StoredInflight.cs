namespace OrleansMqtt.Grains;

/// <summary>A message in flight as it is stored.</summary>
/// <param name="PacketId">Its packet identifier.</param>
/// <param name="Source">Its messages partition, by number.</param>
/// <param name="Offset">Its offset there.</param>
/// <param name="QoS">1 or 2.</param>
/// <param name="IsReleased">Whether the client has it (PUBREC), so that PUBREL is due.</param>
/// <param name="Retain">The RETAIN flag.</param>
internal readonly record struct StoredInflight(ushort PacketId, int Source, long Offset, byte QoS, bool IsReleased, bool Retain = false);
