namespace OrleansMqtt.Conformance.Tests;

/// <summary>A version of the protocol, by its number in CONNECT.</summary>
public enum MqttVersion
{
    V311 = 4,
    V5 = 5,
}
