using System.Text;
using OrleansMqtt.Grains;
using Xunit;

namespace OrleansMqtt.Memory.Tests;

/// <summary>What a retained partition keeps of its topics.</summary>
public sealed class RetainedIndexMemoryTests
{
    private const int Count = 200_000;

    [Fact]
    public void A_topic_takes_little_memory_and_gives_it_back()
    {
        RetainedIndex index = new();
        var filled = UsedMemory.By(() => Fill(index, 0));
        TestContext.Current.TestOutputHelper!.WriteLine($"{filled / Count} bytes a topic");
        Assert.InRange(filled / Count, 40, 100);

        var grown = UsedMemory.By(() =>
        {
            for (var round = 1; round < 4; round++)
            {
                for (var i = 0; i < Count; i++)
                {
                    Assert.True(index.Remove(Topic(i, round - 1)));
                }

                Fill(index, round);
            }
        });

        Assert.InRange(grown, -filled, filled / 10);
        GC.KeepAlive(index);
    }

    private static void Fill(RetainedIndex index, int round)
    {
        for (var i = 0; i < Count; i++)
        {
            index.Set(Topic(i, round), new(i, i, false));
        }
    }

    private static byte[] Topic(int i, int round) => Encoding.UTF8.GetBytes($"site/{round}{i / 10:D6}/name-{i % 10}");
}
