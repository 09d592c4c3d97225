namespace OrleansMqtt.Edge.Protocol;

/// <summary>The topic alias of a PUBLISH.</summary>
/// <param name="Number">1 to the Topic Alias Maximum of who receives it; 0 when there is none.</param>
/// <param name="IsKnown">Whether the receiver knows its topic, which is left out then.</param>
internal readonly record struct TopicAlias(ushort Number, bool IsKnown);
