namespace OrleansMqtt.Grains;

/// <summary>Sends the MQTT topics of a filter to a topic of the log, and reads that topic for subscribers whose filters overlap.</summary>
public sealed class RouteOptions
{
    /// <summary>An MQTT topic filter, such as <c>site/+/telemetry</c>.</summary>
    public string Filter { get; set; } = "";

    /// <summary>The topic of the log.</summary>
    public string Topic { get; set; } = "";

    /// <summary>Its partitions when it has to be created.</summary>
    public int Partitions { get; set; } = 4;

    /// <summary>The QoS of its records that carry none: 0, 1 or 2.</summary>
    public byte DefaultQoS { get; set; } = 1;
}
