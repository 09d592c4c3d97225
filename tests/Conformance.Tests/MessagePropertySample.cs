namespace OrleansMqtt.Conformance.Tests;

/// <summary>All properties of a message that a server passes on unaltered; names of user properties repeat, out of their alphabetical order.</summary>
internal static class MessagePropertySample
{
    public static PropertyList Create() => new()
    {
        { PropertyId.PayloadFormat, 1 },
        { PropertyId.ContentType, "text/plain" },
        { PropertyId.ResponseTopic, "answers/here" },
        { PropertyId.CorrelationData, new byte[] { 0, 1, 255 } },
        { PropertyId.UserProperty, ("b", "1") },
        { PropertyId.UserProperty, ("a", "2") },
        { PropertyId.UserProperty, ("b", "3") },
    };

    public static void AssertIn(PropertyList received)
    {
        Assert.Equal(1u, received.Number(PropertyId.PayloadFormat));
        Assert.Equal("text/plain", received.Text(PropertyId.ContentType));
        Assert.Equal("answers/here", received.Text(PropertyId.ResponseTopic));
        Assert.Equal([0, 1, 255], received.Binary(PropertyId.CorrelationData));
        Assert.Equal([("b", "1"), ("a", "2"), ("b", "3")], received.UserProperties);
    }
}
