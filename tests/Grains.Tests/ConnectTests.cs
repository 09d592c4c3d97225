using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>An edge asks for a session again when no answer came: nobody knows then how far the first call had got.</summary>
public sealed class ConnectTests : IAsyncLifetime
{
    private readonly EmbeddedTestLog _embedded = new();
    private readonly IHost _host;

    public ConnectTests() => _host = GrainSilo.CreateWithEdge(_embedded.Log, HandOverGate.CreateOpen());

    private IEnumerable<long> Closed => _host.Services.GetRequiredService<ClosedConnections>().Numbers;

    private TopicsOptions Topics => _host.Services.GetRequiredService<IOptions<TopicsOptions>>().Value;

    public async ValueTask InitializeAsync()
    {
        await _embedded.Log.EnsureTopicsAsync(Topics.AllTopics(), CancellationToken.None);
        await _host.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _embedded.DisposeAsync();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(60, false)]
    [InlineData(60, true)]
    public async Task A_session_that_begins_is_not_present_when_it_is_asked_for_again_and_its_will_is_not_published(int expirySeconds, bool cleanStart)
    {
        var first = await ConnectAsync(connectionId: 1, expirySeconds, cleanStart);
        var again = await ConnectAsync(connectionId: 1, expirySeconds, cleanStart);

        Assert.Equal((false, false), (first.SessionPresent, again.SessionPresent));
        Assert.Empty(Closed);
        Assert.Equal(0, await CountWillsAsync());
        await AssertIsLivingAsync(again);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task A_session_that_goes_on_is_present_when_it_is_asked_for_again_and_only_the_connection_before_is_closed(int expirySeconds)
    {
        var before = await ConnectAsync(connectionId: 1, expirySeconds: 60, cleanStart: true);
        await Client.Subscribe(before.Epoch, [new() { Filter = "a", MaximumQoS = 1 }]);

        var first = await ConnectAsync(connectionId: 2, expirySeconds, cleanStart: false);
        var again = await ConnectAsync(connectionId: 2, expirySeconds, cleanStart: false);

        Assert.Equal(first, again);
        Assert.True(again.SessionPresent);
        Assert.Equal([1L], Closed);
        Assert.Equal(1, await CountWillsAsync());
        await AssertIsLivingAsync(again);
        Assert.True(await UnsubscribeAsync(again));
    }

    [Fact]
    public async Task A_call_that_comes_late_changes_nothing_of_a_session_that_has_gone_on_since()
    {
        var first = await ConnectAsync(connectionId: 1, expirySeconds: 60, cleanStart: true);
        await Client.Subscribe(first.Epoch, [new() { Filter = "a", MaximumQoS = 1 }]);

        Assert.Equal(first, await ConnectAsync(connectionId: 1, expirySeconds: 60, cleanStart: true));

        Assert.True(await UnsubscribeAsync(first));
    }

    [Fact]
    public async Task A_call_that_had_only_seized_the_session_is_asked_again_and_closes_the_connection_before()
    {
        await ConnectAsync(connectionId: 1, expirySeconds: 60, cleanStart: true);
        await _host.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionOwnerGrain>(0).Seize("client");

        Assert.True((await ConnectAsync(connectionId: 2, expirySeconds: 60, cleanStart: false)).SessionPresent);

        Assert.Equal([1L], Closed);
    }

    [Fact]
    public async Task A_session_that_was_ended_by_a_clean_start_stays_ended_when_it_is_asked_for_again()
    {
        var before = await ConnectAsync(connectionId: 1, expirySeconds: 60, cleanStart: true);
        await Client.Subscribe(before.Epoch, [new() { Filter = "a", MaximumQoS = 1 }]);

        await ConnectAsync(connectionId: 2, expirySeconds: 60, cleanStart: true);
        var again = await ConnectAsync(connectionId: 2, expirySeconds: 60, cleanStart: true);

        Assert.False(again.SessionPresent);
        Assert.Equal([1L], Closed);
        Assert.Equal(1, await CountWillsAsync());
        Assert.False(await UnsubscribeAsync(again));
    }

    private IClientSessionGrain Client => _host.Services.GetRequiredService<IGrainFactory>().GetGrain<IClientSessionGrain>("client");

    private ValueTask<ConnectResult> ConnectAsync(long connectionId, int expirySeconds, bool cleanStart) => Client.Connect(new()
    {
        Edge = _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress,
        ConnectionId = connectionId,
        CleanStart = cleanStart,
        ReceiveMaximum = 10,
        SessionExpirySeconds = (uint)expirySeconds,
        Will = new() { Message = new() { Topic = "will", Payload = new byte[] { 1 }, QoS = 1, PublisherClientId = "client" } },
    });

    private async Task<bool> UnsubscribeAsync(ConnectResult connection) => Assert.Single((await Client.Unsubscribe(connection.Epoch, ["a"])).Existed!);

    private async Task AssertIsLivingAsync(ConnectResult connection) =>
        Assert.True(await _host.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionOwnerGrain>(0).IsLiving("client", connection.Epoch));

    private async Task<long> CountWillsAsync()
    {
        var batch = await _embedded.Log.ReadRangeAsync(Topics.Messages.Name, 0, 0, 100, CancellationToken.None);
        return batch.Records.Count(static record => record.Value is not null);
    }
}
