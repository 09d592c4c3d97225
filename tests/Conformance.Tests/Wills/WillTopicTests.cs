namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>A CONNECT whose will could never be published is refused as the publish would be.</summary>
public sealed class WillTopicTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData(V311, "a/#"), InlineData(V311, "+"), InlineData(V311, "")]
    [InlineData(V5, "a/#"), InlineData(V5, "+"), InlineData(V5, "")]
    [Statement(V311, "MQTT-4.7.1-1", "MQTT-4.7.3-1")]
    [Statement(V5, "MQTT-4.7.0-1", "MQTT-4.7.3-1", "MQTT-3.1.4-1")]
    public Task A_topic_with_a_wildcard_or_none_at_all_is_refused(MqttVersion version, string topic) =>
        ExpectRefusedAsync(new Connect(version, NewClientId()) { Will = new(topic, "will") });

    [Theory, InlineData("a/#"), InlineData("+/a"), InlineData("")]
    [Statement(V5, "MQTT-3.3.2-14", "section 3.1.3.2.6")]
    public Task A_response_topic_with_a_wildcard_or_none_at_all_is_refused(string topic) =>
        ExpectRefusedAsync(new Connect(V5, NewClientId()) { Will = new(NewTopic(), "will") { Properties = new() { { PropertyId.ResponseTopic, topic } } } });
}
