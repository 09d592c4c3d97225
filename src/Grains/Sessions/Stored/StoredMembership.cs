namespace OrleansMqtt.Grains;

/// <summary>A membership as it is stored.</summary>
/// <param name="Group">The group: the whole filter.</param>
/// <param name="Number">The number of the membership.</param>
/// <param name="LastTaken">The last lease of QoS 2 that the session has taken: that and those before are never taken again.</param>
internal readonly record struct StoredMembership(string Group, long Number, long LastTaken);
