namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Will(string Topic, string Payload)
{
    public int QoS { get; init; } = 1;

    public bool IsRetained { get; init; }

    public PropertyList Properties { get; init; } = [];

    /// <summary>A will that MQTT 5 servers hold back.</summary>
    public static Will Delayed(string topic, string payload, uint seconds) => new(topic, payload) { Properties = new() { { PropertyId.WillDelay, seconds } } };
}
