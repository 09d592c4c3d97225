namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>The will of a connection; the delay is for MQTT 5.</summary>
internal sealed record Will(string Topic, string Payload, int QualityOfService, uint DelaySeconds = 0);
