using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class TopicFilterTests
{
    /// <summary>Filter, topic name, whether they match: the examples of MQTT 5, 4.7, and the corners beside them.</summary>
    public static readonly TheoryData<string, string, bool> Examples = new()
    {
        { "sport/tennis/player1/#", "sport/tennis/player1", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true },
        { "sport/tennis/player1/#", "sport/tennis/player2", false },
        { "sport/#", "sport", true },
        { "sport/#", "sports", false },
        { "#", "a/b/c", true },
        { "#", "/", true },
        { "sport/tennis/+", "sport/tennis/player1", true },
        { "sport/tennis/+", "sport/tennis/player1/ranking", false },
        { "sport/+", "sport", false },
        { "sport/+", "sport/", true },
        { "+/+", "/finance", true },
        { "/+", "/finance", true },
        { "+", "/finance", false },
        { "+/tennis/#", "sport/tennis", true },
        { "#", "$SYS/monitor/clients", false },
        { "+/monitor/clients", "$SYS/monitor/clients", false },
        { "$SYS/#", "$SYS/monitor/clients", true },
        { "$SYS/monitor/+", "$SYS/monitor/clients", true },
        { "a/b", "a/b", true },
        { "a/b", "A/b", false },
        { "a//b", "a//b", true },
        { "a/+/b", "a//b", true },
        { "a/b", "a/b/", false },
    };

    [Theory]
    [MemberData(nameof(Examples))]
    public void A_filter_matches_the_topic_names_that_the_specification_says(string filter, string topic, bool matches) =>
        Assert.Equal(matches, TopicFilter.Matches(filter, topic));

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_tree_finds_the_same_filters(string filter, string topic, bool matches)
    {
        TopicFilterTree<string> tree = new();
        tree.Set(filter, filter);
        List<string> found = [];
        tree.Match(topic, found);
        Assert.Equal(matches ? [filter] : [], found);
    }

    [Fact]
    public void The_tree_agrees_with_matching_one_by_one_whatever_is_added_and_removed()
    {
        Random random = new(5);
        string[] levels = ["a", "b", "c", "", "+", "$x"];
        string Filter() => string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => levels[random.Next(levels.Length)])) + (random.Next(4) == 0 ? "/#" : "");
        string Topic() => string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => levels[random.Next(4)])) is { Length: > 0 } topic ? topic : "a";
        HashSet<string> filters = [];
        TopicFilterTree<string> tree = new();
        for (var i = 0; i < 5_000; i++)
        {
            var filter = Filter();
            if (filter.Length == 0 || !TopicFilter.IsValid(filter))
            {
                continue;
            }

            if (random.Next(2) == 0)
            {
                tree.Set(filter, filter);
                filters.Add(filter);
            }
            else
            {
                Assert.Equal(filters.Remove(filter), tree.Remove(filter));
            }

            var topic = Topic();
            List<string> found = [];
            tree.Match(topic, found);
            Assert.Equal(filters.Where(known => TopicFilter.Matches(known, topic)).Order(), found.Order());
            Assert.Equal(filters.Count, tree.Count);
        }

        Assert.Equal(filters.Order(), tree.Entries.Select(entry => entry.Filter).Order());
    }

    [Theory]
    [InlineData("a/#", "a/b", true)]
    [InlineData("a/#", "b/#", false)]
    [InlineData("a/+", "+/b", true)]
    [InlineData("a/+/c", "a/b/#", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("a/b", "a/b/c", false)]
    public void Two_filters_overlap_when_some_topic_matches_both(string first, string second, bool overlap)
    {
        Assert.Equal(overlap, TopicFilter.Overlaps(first, second));
        Assert.Equal(overlap, TopicFilter.Overlaps(second, first));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("#", true)]
    [InlineData("a/#", true)]
    [InlineData("a#", false)]
    [InlineData("#/a", false)]
    [InlineData("+", true)]
    [InlineData("a+", false)]
    [InlineData("+a", false)]
    [InlineData("a/+/b", true)]
    [InlineData("/", true)]
    [InlineData("a\0b", false)]
    public void Only_filters_with_wildcards_in_their_places_are_valid(string filter, bool isValid) => Assert.Equal(isValid, TopicFilter.IsValid(filter));

    [Theory]
    [InlineData("a/b/c", 0, "a")]
    [InlineData("a/b/c", 2, "c")]
    [InlineData("a/b/c", 3, "")]
    [InlineData("/b", 0, "")]
    [InlineData("/b", 1, "b")]
    public void A_level_of_a_topic_name_is_counted_from_zero(string topic, int level, string text) => Assert.Equal(text, TopicFilter.LevelOf(topic, level).ToString());
}
