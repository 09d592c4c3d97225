namespace OrleansMqtt.Grains;

/// <summary>A message in flight.</summary>
/// <param name="Reference">The message.</param>
/// <param name="Bytes">Its payload, while it counts against the window.</param>
/// <param name="Sequence">Orders them as they were sent first.</param>
/// <param name="IsSent">Whether it was sent on the present connection.</param>
/// <param name="IsReleased">Whether the client has it (PUBREC), so that only the PUBREL is left.</param>
internal readonly record struct InflightMessage(MessageReference Reference, int Bytes, long Sequence, bool IsSent, bool IsReleased);
