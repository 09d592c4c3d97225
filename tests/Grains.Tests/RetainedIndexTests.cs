using System.Text;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>The retained messages by topic.</summary>
public sealed class RetainedIndexTests
{
    private static readonly string[] Levels = ["", "a", "b", "site", "$SYS", "temperature", "a level that is longer than eight bytes", "é"];
    private static readonly string[] Filters =
        ["#", "+", "+/+", "a", "a/#", "a/+", "+/a", "+/a/#", "+/+/+", "$SYS/#", "$SYS/+", "+/$SYS", "site/+/temperature", "a/+/#", "/", "/#", "+/", "b/a/site", "site/site/#"];

    [Fact]
    public void It_holds_and_finds_what_a_plain_list_holds_and_finds()
    {
        Random random = new(3);
        RetainedIndex index = new();
        Dictionary<string, RetainedEntry> expected = [];
        for (var step = 0; step < 20_000; step++)
        {
            var topic = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Levels[random.Next(Levels.Length)]));
            topic = topic.Length == 0 ? "a" : topic;
            if (random.Next(5) < (step / 2_000 % 2 == 0 ? 3 : 1))
            {
                expected[topic] = new(step, random.Next(), random.Next(2) == 0);
                index.Set(Utf8(topic), expected[topic]);
            }
            else
            {
                Assert.Equal(expected.Remove(topic), index.Remove(Utf8(topic)));
            }

            Assert.Equal(expected.Count, index.Count);
            Assert.Equal(expected.TryGetValue(topic, out var entry), index.TryGet(Utf8(topic), out var found));
            Assert.Equal(entry, found);
            if (step % 500 == 0)
            {
                foreach (var filter in Filters)
                {
                    Assert.Equal(
                        expected.Where(each => TopicFilter.Matches(filter, each.Key)).Select(each => each.Value).OrderBy(each => each.Offset),
                        Match(index, filter).OrderBy(each => each.Offset));
                }
            }
        }
    }

    [Fact]
    public void More_matches_than_are_wanted_are_told()
    {
        RetainedIndex index = new();
        for (var i = 0; i < 10; i++)
        {
            index.Set(Utf8($"a/{i}/b"), new(i, 0, false));
        }

        List<RetainedEntry> entries = [];
        Assert.False(index.TryMatch(Utf8("a/#"), 9, entries));
        entries.Clear();
        Assert.False(index.TryMatch(Utf8("a/+/b"), 9, entries));
        entries.Clear();
        Assert.True(index.TryMatch(Utf8("a/+/b"), 10, entries));
        Assert.Equal(10, entries.Count);
    }

    [Fact]
    public void Topics_and_filters_of_thousands_of_levels_are_no_matter()
    {
        RetainedIndex index = new();
        var deep = new string('/', 65_535);
        index.Set(Utf8(deep), new(1, 0, false));
        Assert.Single(Match(index, "#"));
        Assert.Single(Match(index, "/#"));
        Assert.Single(Match(index, string.Join('/', Enumerable.Repeat("+", 32_000)) + "/#"));
        Assert.True(index.Remove(Utf8(deep)));
        Assert.Empty(Match(index, "#"));
    }

    [Fact]
    public void A_level_of_the_greatest_length_is_kept()
    {
        RetainedIndex index = new();
        for (var length = 65_535; length > 65_500; length--)
        {
            index.Set(Utf8(new string('x', length)), new(length, 0, false));
        }

        for (var length = 65_535; length > 65_500; length--)
        {
            Assert.True(index.TryGet(Utf8(new string('x', length)), out var entry));
            Assert.Equal(length, entry.Offset);
            Assert.True(index.Remove(Utf8(new string('x', length))));
        }
    }

    private static List<RetainedEntry> Match(RetainedIndex index, string filter)
    {
        List<RetainedEntry> entries = [];
        Assert.True(index.TryMatch(Utf8(filter), int.MaxValue, entries));
        return entries;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
