using OrleansMqtt.Edge.Connections;

namespace OrleansMqtt.Edge.Tests;

public sealed class ConnectTurnsTests
{
    private readonly ConnectTurns _turns = new();

    [Fact]
    public async Task The_newest_of_those_that_wait_comes_next_and_the_others_never()
    {
        Assert.True(await _turns.EnterAsync("c"));
        var second = _turns.EnterAsync("c");
        var third = _turns.EnterAsync("c");
        Assert.False(await second);
        Assert.False(third.IsCompleted);
        _turns.Leave("c");
        Assert.True(await third);
        var fourth = _turns.EnterAsync("c");
        Assert.False(fourth.IsCompleted);
        _turns.Leave("c");
        Assert.True(await fourth);
    }

    [Fact]
    public async Task Clients_do_not_wait_for_each_other()
    {
        Assert.True(await _turns.EnterAsync("a"));
        Assert.True(await _turns.EnterAsync("b"));
        _turns.Leave("a");
        Assert.True(await _turns.EnterAsync("a"));
    }
}
