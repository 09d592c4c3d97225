namespace OrleansMqtt.Grains;

/// <summary>Retained messages that match, and where the next are found; the stretch up to there may hold none.</summary>
[GenerateSerializer, Immutable, Alias("retained-page")]
internal sealed record RetainedPage([property: Id(0)] MqttMessage[] Messages, [property: Id(1)] long Next);
