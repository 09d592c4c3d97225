using System.Text;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.SystemTopics;

namespace OrleansMqtt.Edge.Tests;

public sealed class SystemTopicTests
{
    [Theory]
    [InlineData("$SYS/#", "$SYS", true)]
    [InlineData("$SYS/#", "$SYS/a/b", true)]
    [InlineData("$SYS/a", "$SYS/a/b", false)]
    [InlineData("$SYS/a/b", "$SYS/a", false)]
    [InlineData("$SYS/+", "$SYS/a", true)]
    [InlineData("$SYS/+", "$SYS/a/b", false)]
    [InlineData("$SYS/+/b", "$SYS/a/b", true)]
    [InlineData("$SYS/a/#", "$SYS/a", true)]
    [InlineData("$SYS/a/#", "$SYS/ab", false)]
    [InlineData("$SYS/a/+/#", "$SYS/a", false)]
    [InlineData("$SYS/", "$SYS", false)]
    [InlineData("$SYS", "$SYS/", false)]
    public void A_filter_matches_level_by_level(string filter, string topic, bool matches) => Assert.Equal(matches, TopicSyntax.Matches(filter, topic));

    [Fact]
    public async Task Connections_that_have_ended_or_unsubscribed_are_forgotten()
    {
        await using var host = await EdgeHost.StartAsync(null, ("SysInterval", "0"));
        using var client = await host.ConnectAsync();
        await client.SendAsync($"820E 0001 00 {RawClient.Text("$SYS/x/#")}00");
        Assert.Equal("900400010000", await client.ReceivePacketAsync());
        host.Context.SystemTopics.Publish([Message("1")]);
        Assert.EndsWith("31", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        await client.SendAsync($"A20D 0002 00 {RawClient.Text("$SYS/x/#")}");
        Assert.Equal("B00400020000", await client.ReceivePacketAsync());
        host.Context.SystemTopics.Publish([Message("2")]);
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task Without_an_interval_there_are_no_values()
    {
        await using var host = await EdgeHost.StartAsync(null, ("SysInterval", "0"));
        using var client = await host.ConnectAsync();
        await client.SendAsync($"820C 0001 00 {RawClient.Text("$SYS/#")}00");
        Assert.Equal("900400010000", await client.ReceivePacketAsync());
        await client.ExpectOnlyPingResponseAsync();
    }

    private static MqttMessage Message(string value) => new() { Topic = "$SYS/x/y", Payload = Encoding.UTF8.GetBytes(value), QoS = 0, Retain = true, PublisherClientId = "", TimestampMilliseconds = 0 };
}
