using System.Text;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Which topic of the log MQTT topics live on, and what decides key and partition there.</summary>
public sealed class TopicRoutesTests
{
    [Theory]
    [InlineData("alarm/fire", "alarms")]
    [InlineData("alarm/fire/1", "second")]
    [InlineData("site/1/temp", "second")]
    [InlineData("site/1", "mqtt-messages")]
    [InlineData("command/1", "mqtt-messages")]
    public void The_first_route_with_a_publish_filter_that_matches_takes_a_publish(string mqttTopic, string topic)
    {
        var routes = Routes(
            new() { Filter = "alarm/+", Topic = "alarms" },
            new() { Subscribe = { "command/#" }, Topic = "commands" },
            new() { Publish = { "alarm/#", "site/+/temp" }, Topic = "second" });
        Assert.Equal(topic, routes.TopicOf(mqttTopic));
        Assert.Equal(topic, routes.PathOf(mqttTopic).Topic);
    }

    [Fact]
    public void A_subscription_reads_each_topic_that_a_subscribe_filter_lets_it_reach_and_the_messages_topic()
    {
        var routes = Routes(
            new() { Filter = "alarm/#", Topic = "alarms" },
            new() { Subscribe = { "command/+" }, Topic = "commands" },
            new() { Publish = { "raw/#" }, Topic = "raw" });
        Assert.Equal(["mqtt-messages", "alarms", "commands"], routes.Topics);
        Assert.Equal(["mqtt-messages", "alarms", "commands"], Reached("#"));
        Assert.Equal(["mqtt-messages", "alarms", "commands"], Reached("+/1"));
        Assert.Equal(["mqtt-messages", "alarms"], Reached("+/1/2"));
        Assert.Equal(["mqtt-messages", "commands"], Reached("command/#"));
        Assert.Equal(["mqtt-messages"], Reached("raw/#"));

        string[] Reached(string filter) => [.. new[] { "mqtt-messages", "alarms", "commands", "raw" }.Where(topic => routes.Reaches(filter, topic))];
    }

    [Fact]
    public void Subscribers_get_from_a_topic_only_the_MQTT_topics_that_its_routes_name_for_them()
    {
        var routes = Routes(
            new() { Filter = "a/#", Topic = "shared" },
            new() { Publish = { "b/#" }, Subscribe = { "c/+" }, Topic = "shared" });
        var topic = routes.MessagesTopicOf("shared");
        Assert.Equal([true, false, true, false], new[] { "a/1/2", "b/1", "c/1", "c/1/2" }.Select(topic.Includes));
        Assert.True(routes.MessagesTopicOf("mqtt-messages").Includes("b/1"));
    }

    [Fact]
    public void An_answer_goes_to_a_topic_that_the_subscribers_of_the_response_topic_read()
    {
        var routes = Routes(
            new() { Publish = { "answer/#" }, Topic = "out" },
            new() { Subscribe = { "answer/+" }, Topic = "in" },
            new() { Filter = "both/#", Topic = "both" });
        Assert.Equal(["in", "mqtt-messages", "both"], new[] { "answer/1", "answer/1/2", "both/1" }.Select(routes.ReplyTopicOf));
    }

    [Fact]
    public void The_default_QoS_of_a_topic_is_that_of_the_route_that_says_one()
    {
        var routes = Routes(
            new() { Filter = "a", Topic = "first" },
            new() { Filter = "b", Topic = "first", DefaultQoS = 0 },
            new() { Filter = "c", Topic = "second" });
        Assert.Equal([0, 2, 2], new[] { "first", "second", "mqtt-messages" }.Select(topic => (int)routes.MessagesTopicOf(topic).DefaultQoS));
    }

    [Fact]
    public void Partitions_of_a_topic_are_what_one_of_its_routes_says_or_four()
    {
        TopicsOptions options = new()
        {
            Routes = { new() { Filter = "a", Topic = "first" }, new() { Filter = "b", Topic = "first", Partitions = 9 }, new() { Filter = "c", Topic = "second" } },
        };
        Assert.Equal([("mqtt-messages", 4), ("first", 9), ("second", 4)], options.MessageTopics().Select(topic => (topic.Name, topic.Partitions)));
    }

    [Theory]
    [InlineData("place/7/device/1", "7")]
    [InlineData("place/7", "7")]
    [InlineData("place//device", null)]
    [InlineData("place", null)]
    [InlineData("car/x/41/speed", "41")]
    [InlineData("other/7", null)]
    public async Task The_identity_in_a_topic_decides_the_partition_and_the_key_stays_the_topic(string mqttTopic, string? identity)
    {
        await using FixedLog log = new(partitions: 100);
        TopicsOptions options = new() { Clients = { "place/{identity}/#", "car/+/{identity}/+" }, Routes = { new() { Filter = "car/#", Topic = "cars" } } };
        var path = new TopicRoutes(Options.Create(options)).PathOf(mqttTopic);
        Assert.Equal(identity is null ? null : KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(identity), 100), path.PartitionIn(log));
        Assert.Equal(mqttTopic, Encoding.UTF8.GetString(path.KeyOf("client")));
        Assert.True(path.IsKeyedByTopic);
    }

    [Theory]
    [InlineData("{topic}!", "place/7/device/1!")]
    [InlineData("{client}", "client")]
    [InlineData("{identity}", "7")]
    [InlineData("{1}-{3}", "place-device")]
    [InlineData("fixed", "fixed")]
    [InlineData("{9}", "")]
    public void A_key_template_makes_the_key(string template, string key)
    {
        TopicsOptions options = new() { Clients = { "place/{identity}/#" }, Routes = { new() { Filter = "#", Topic = "t", Key = template } } };
        var path = new TopicRoutes(Options.Create(options)).PathOf("place/7/device/1");
        Assert.Equal(key, Encoding.UTF8.GetString(path.KeyOf("client")));
        Assert.Equal(template == "{client}", path.IsKeyedByClient);
        Assert.False(path.IsKeyedByTopic);
    }

    private static TopicRoutes Routes(params RouteOptions[] routes)
    {
        TopicsOptions options = new() { DefaultQoS = 2 };
        foreach (var route in routes)
        {
            options.Routes.Add(route);
        }

        return new(Options.Create(options));
    }
}
