namespace OrleansMqtt.Grains;

/// <summary>A message for a session whose matching subscriptions do not know yet whether they count from before it.</summary>
internal readonly record struct HeldMessage(Session Session, byte MaximumQoS, bool Retain, int Link, MqttMessage Message, int[]? Identifiers);
