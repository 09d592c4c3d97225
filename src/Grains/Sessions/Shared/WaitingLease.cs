namespace OrleansMqtt.Grains;

/// <summary>A leased message that the client's window has no room for yet.</summary>
internal readonly record struct WaitingLease(Membership Membership, long Number, MessageReference Reference, MqttMessage Message);
