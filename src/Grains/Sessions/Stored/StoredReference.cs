namespace OrleansMqtt.Grains;

/// <summary>A message as records name it.</summary>
/// <param name="Source">Its messages partition, by number.</param>
/// <param name="Offset">Its offset there.</param>
/// <param name="QoS">The QoS to deliver it with.</param>
internal readonly record struct StoredReference(int Source, long Offset, byte QoS);
