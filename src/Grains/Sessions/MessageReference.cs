namespace OrleansMqtt.Grains;

/// <summary>A message by its place on the log: 16 bytes, whatever its size.</summary>
/// <param name="Offset">The offset in its partition.</param>
/// <param name="Link">The index of the partition among the sources of its session partition (<see cref="MessageSource"/>).</param>
/// <param name="QoS">The QoS to deliver it with.</param>
/// <param name="Retain">The RETAIN flag to deliver it with.</param>
internal readonly record struct MessageReference(long Offset, ushort Link, byte QoS, bool Retain = false);
