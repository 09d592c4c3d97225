using System.Text;
using OrleansMqtt.Storage.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class PresenceNotesTests
{
    [Fact]
    public void A_client_that_comes_and_goes_takes_one_place_with_its_newest_state()
    {
        PresenceNotes notes = new("t");
        notes.Set("other", [0]);
        for (byte i = 1; i < 200; i++)
        {
            notes.Set("client", [i]);
        }

        Assert.Equal(2, notes.Count);
        Assert.Equal(["other 00", "client C7"], Take(notes));
        Assert.Empty(Take(notes));
    }

    [Fact]
    public void The_end_of_a_session_follows_its_last_state_unless_the_client_is_back()
    {
        PresenceNotes notes = new("t");
        notes.Set("gone", [1]);
        notes.End("gone");
        notes.Set("back", [1]);
        notes.End("back");
        notes.Set("back", [2]);
        notes.End("unknown");

        Assert.Equal(["gone 01", "gone null", "back 02", "unknown null"], Take(notes));
    }

    [Fact]
    public void Beyond_the_limit_the_clients_that_changed_least_lately_are_dropped()
    {
        PresenceNotes notes = new("t", limit: 3);
        foreach (var client in new[] { "a", "b", "c", "a", "d", "e" })
        {
            notes.Set(client, [1]);
        }

        Assert.Equal(["a 01", "d 01", "e 01"], Take(notes));
        notes.Set("f", [1]);
        Assert.Equal(["f 01"], Take(notes));
    }

    private static string[] Take(PresenceNotes notes) => [.. notes.Take().Select(Describe)];

    private static string Describe(StoreRecord record)
    {
        Assert.True(record is { Topic: "t", IsKept: true });
        var (clientId, suffix) = SessionKeys.Split(record.Record.Key);
        Assert.Equal("c", Encoding.ASCII.GetString(suffix.Span));
        return $"{clientId} {(record.Record.Value is { } value ? Convert.ToHexString(value.Span) : "null")}";
    }
}
