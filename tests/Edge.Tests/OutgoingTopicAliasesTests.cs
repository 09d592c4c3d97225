using OrleansMqtt.Edge.Connections;

namespace OrleansMqtt.Edge.Tests;

public sealed class OutgoingTopicAliasesTests
{
    [Fact]
    public void A_topic_has_an_alias_from_its_second_time_on()
    {
        var aliases = new OutgoingTopicAliases(8);
        var first = aliases.Choose("site/1");
        Assert.False(first.IsKnown);
        Assert.InRange(first.Number, 1, 8);
        aliases.Assign(first, "site/1");
        Assert.Equal(first with { IsKnown = true }, aliases.Choose(new string("site/1".AsSpan())));
    }

    [Fact]
    public void A_topic_that_was_not_sent_has_none()
    {
        var aliases = new OutgoingTopicAliases(8);
        Assert.False(aliases.Choose("site/1").IsKnown);
        Assert.False(aliases.Choose("site/1").IsKnown);
    }

    [Fact]
    public void A_topic_that_is_as_short_as_an_alias_is_sent_as_it_is() => Assert.Equal(0, new OutgoingTopicAliases(8).Choose("a/b").Number);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(32)]
    public void A_client_that_follows_them_has_the_right_topic_every_time(int maximum)
    {
        var aliases = new OutgoingTopicAliases(maximum);
        var client = new Dictionary<ushort, string>();
        var random = new Random(maximum);
        var known = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var topic = $"site/{(random.Next(4) > 0 ? random.Next(maximum) : random.Next(1_000))}";
            var alias = aliases.Choose(topic);
            Assert.InRange(alias.Number, 0, maximum);
            if (alias.IsKnown)
            {
                Assert.Equal(topic, client[alias.Number]);
                known++;
            }
            else if (alias.Number > 0)
            {
                client[alias.Number] = topic;
                aliases.Assign(alias, topic);
            }
        }

        Assert.True(known > 2_000, $"Of 10,000 topics, {known} were left out.");
    }

    [Fact]
    public void Topics_that_come_once_take_no_alias_from_others()
    {
        var aliases = new OutgoingTopicAliases(1);
        aliases.Assign(aliases.Choose("site/1"), "site/1");
        for (var i = 100; i < 200; i++)
        {
            Assert.Equal(0, aliases.Choose($"site/{i}").Number);
            Assert.True(aliases.Choose("site/1").IsKnown);
        }
    }

    [Fact]
    public void It_takes_no_memory_for_a_message()
    {
        var aliases = new OutgoingTopicAliases(4);
        string[] topics = [.. Enumerable.Range(0, 100).Select(i => $"site/{i}")];
        Use();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Use();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Use()
        {
            foreach (var topic in topics)
            {
                if (aliases.Choose(topic) is { Number: > 0, IsKnown: false } alias)
                {
                    aliases.Assign(alias, topic);
                }
            }
        }
    }
}
