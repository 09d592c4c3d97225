namespace OrleansMqtt;

/// <summary>A User Property (MQTT 5, 3.3.2.3.7).</summary>
[GenerateSerializer, Immutable, Alias("user-property")]
public readonly record struct UserProperty([property: Id(0)] string Name, [property: Id(1)] string Value);
