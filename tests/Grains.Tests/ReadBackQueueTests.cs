using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class ReadBackQueueTests
{
    private static readonly EdgeOutbox Edge = new(SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1), service: null!, 0, 1, _ => false, NullLogger.Instance);

    [Fact]
    public void A_client_near_the_end_has_its_turn_while_others_read_the_log_from_its_beginning()
    {
        ReadBackQueue queue = new();
        var (first, second, late) = (Connected("first"), Connected("second"), Connected("late"));
        queue.Add(first, 0);
        queue.Add(second, 500);
        queue.Add(late, 900_000);
        List<string> served = [];
        for (var next = 1_000L; served.Count < 6; next += 1_000)
        {
            var from = queue.Next()!.Value;
            foreach (var session in queue.TakeCovered(new(from, from + 100, [])))
            {
                served.Add($"{session.ClientId} {from}");
                queue.Add(session, session == late ? from + 100 : next);
            }
        }

        Assert.Equal(["first 0", "second 500", "late 900000", "first 1000", "second 2000", "late 900100"], served);
    }

    [Fact]
    public void Everybody_whose_message_is_in_the_stretch_goes_along_and_those_without_a_connection_wait_no_more()
    {
        ReadBackQueue queue = new();
        var sessions = Enumerable.Range(0, 5).Select(i => Connected($"{i}")).ToArray();
        foreach (var (session, offset) in sessions.Zip([70L, 5, 60, 250, 99]))
        {
            queue.Add(session, offset);
            queue.Add(session, 1);
        }

        sessions[0].Detach(default);
        sessions[3].IsEnded = true;

        Assert.Equal(5, queue.Next());
        Assert.Equal(["1", "2", "4"], queue.TakeCovered(new(0, 100, [])).Select(session => session.ClientId));
        Assert.Null(queue.Next());
        Assert.All(sessions, session => Assert.False(session.IsLoading));
    }

    private static Session Connected(string clientId)
    {
        Session session = new(clientId, 0);
        session.Attach(Edge, 1, default, 10, 1_000);
        return session;
    }
}
