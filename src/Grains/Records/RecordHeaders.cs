namespace OrleansMqtt.Grains;

/// <summary>
/// The names of the headers that carry what a message has besides topic and payload: those of the Zilla MQTT Kafka proxy (which has no <c>topic</c>), behind a configured prefix.
/// </summary>
internal sealed class RecordHeaders(string prefix)
{
    public string Prefix { get; } = prefix;

    public string QoS { get; } = prefix + "qos";

    public string Local { get; } = prefix + "local";

    public string Retain { get; } = prefix + "retain";

    /// <summary>The MQTT topic of a record whose key is something else.</summary>
    public string Topic { get; } = prefix + "topic";

    public string Expiry { get; } = prefix + "expiry";

    public string ContentType { get; } = prefix + "content-type";

    public string Format { get; } = prefix + "format";

    public string ReplyTo { get; } = prefix + "reply-to";

    public string ReplyKey { get; } = prefix + "reply-key";

    public string ReplyFilter { get; } = prefix + "reply-filter";

    public string CorrelationId { get; } = prefix + "correlation-id";

    public string Filter { get; } = prefix + "filter";

    /// <summary>Stands before the name of a user property that starts with the prefix itself, so that no client can forge a header of ours.</summary>
    public string Escape { get; } = prefix + "~";
}
