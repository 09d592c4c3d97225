using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Messages of one topic on several partitions: the newest counts, and a delete goes to all.</summary>
public sealed class RetainedCopiesTests
{
    [Fact]
    public void The_newest_copy_counts()
    {
        RetainedCopies copies = new();
        copies.Set("t", 1, 10);
        copies.Set("t", 2, 20);
        Assert.True(copies.HasNewer("t", 19));
        Assert.False(copies.HasNewer("t", 20));
        Assert.True(copies.HasNewer("t", partition: 1, 10));
        Assert.False(copies.HasNewer("t", partition: 2, 20));
        copies.Set("t", 1, 20);
        Assert.True(copies.HasNewer("t", partition: 2, 20));
        Assert.False(copies.HasNewer("t", partition: 1, 20));
        Assert.Equal([2, 1], copies.NotNewerThan("t", 20));
        Assert.Empty(copies.NotNewerThan("t", 19));
        copies.Remove("t", 1);
        copies.Remove("t", 2);
        Assert.True(copies.IsEmpty);
    }

    [Fact]
    public void A_deletion_is_remembered_for_what_is_heard_of_later()
    {
        RetainedCopies copies = new();
        copies.NoteDeletion("t", 10);
        copies.NoteDeletion("t", 5);
        Assert.Equal(10, copies.DeletedSince("t", 10));
        Assert.Null(copies.DeletedSince("t", 11));
        for (var i = 0; i < 10_000; i++)
        {
            copies.NoteDeletion($"{i}", 1);
        }

        Assert.Null(copies.DeletedSince("t", 1));
        Assert.Equal(1, copies.DeletedSince("0", 1));
    }
}
