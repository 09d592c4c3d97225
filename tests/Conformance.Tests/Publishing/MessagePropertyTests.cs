namespace OrleansMqtt.Conformance.Tests.Publishing;

/// <summary>Properties of a PUBLISH that say what its payload is, and request and response (sections 3.3.2.3 and 4.10).</summary>
public sealed class MessagePropertyTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "section 4.10.1", "MQTT-3.3.2-15", "MQTT-3.3.2-16")]
    public async Task A_responder_gets_the_response_topic_and_the_requester_its_correlation_data(int qoS)
    {
        var topic = NewTopic();
        var requester = await SubscribeAsync(V5, $"{topic}/answers", qoS);
        var responder = await SubscribeAsync(V5, $"{topic}/questions", qoS);
        byte[] correlation = [0, 255, 7];
        await requester.PublishAsync(new Publish($"{topic}/questions", "question")
        {
            QoS = qoS,
            Properties = new() { { PropertyId.ResponseTopic, $"{topic}/answers" }, { PropertyId.CorrelationData, correlation } },
        });

        var request = await responder.ReceiveAsync<Publish>();
        await responder.AcknowledgeAsync(request);
        await responder.PublishAsync(new Publish(request.Properties.Text(PropertyId.ResponseTopic)!, "answer")
        {
            QoS = qoS,
            Properties = new() { { PropertyId.CorrelationData, request.Properties.Binary(PropertyId.CorrelationData)! } },
        });

        var response = await requester.ReceiveAsync<Publish>();
        Assert.Equal("answer", response.Payload);
        Assert.Equal(correlation, response.Properties.Binary(PropertyId.CorrelationData));
    }

    [Theory, InlineData("a/+/b"), InlineData("#")]
    [Statement(V5, "MQTT-3.3.2-14", "MQTT-4.13.1-1")]
    public async Task A_response_topic_with_a_wildcard_is_malformed(string responseTopic)
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Publish(NewTopic(), "") { Properties = new() { { PropertyId.ResponseTopic, responseTopic } } }.Encode(V5));
        await client.ExpectCloseAsync(0x81);
    }

    [Theory]
    [InlineData((int)PropertyId.PayloadFormat)]
    [InlineData((int)PropertyId.ContentType)]
    [InlineData((int)PropertyId.ResponseTopic)]
    [InlineData((int)PropertyId.CorrelationData)]
    [Statement(V5, "section 3.3.2.3", "MQTT-4.13.1-1")]
    public async Task A_property_that_comes_twice_is_a_protocol_error(int property)
    {
        var client = await ConnectAsync(V5);
        var sample = MessagePropertySample.Create().First(each => (int)each.Key == property);
        await client.SendAsync(new Publish(NewTopic(), "") { Properties = [sample, sample] }.Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }
}
