using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using OrleansMqtt.Storage.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>An owner of a sessions partition before the edges have handed its connections over.</summary>
public sealed class NewOwnerTests : IAsyncDisposable
{
    private const string Client = "client";
    private readonly EmbeddedTestLog _embedded = new();
    private readonly HandOverGate _gate = new();

    public ValueTask DisposeAsync()
    {
        _gate.Open();
        return _embedded.DisposeAsync();
    }

    [Theory]
    [InlineData("a session changes")]
    [InlineData("a session ends")]
    [InlineData("members of groups are told")]
    public async Task Nothing_is_taken_before_all_edges_have_handed_their_connections_over(string what)
    {
        using var earlier = GrainSilo.CreateWithEdge(_embedded.Log, HandOverGate.CreateOpen());
        await _embedded.Log.EnsureTopicsAsync(earlier.Services.GetRequiredService<IOptions<TopicsOptions>>().Value.AllTopics(), CancellationToken.None);
        await earlier.StartAsync();
        await earlier.Services.GetRequiredService<IGrainFactory>().GetGrain<IClientSessionGrain>(Client).Connect(new()
        {
            Edge = earlier.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress,
            ConnectionId = 1,
            CleanStart = true,
            ReceiveMaximum = 10,
            SessionExpirySeconds = 60,
        });
        await earlier.StopAsync();

        using var host = GrainSilo.CreateWithEdge(_embedded.Log, _gate);
        await host.StartAsync();
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        IStoragePartition owner = grains.GetGrain<ISessionOwnerGrain>(0);
        var stored = await owner.ReadState(Client);
        var isOpen = false;
        var taking = TakeAsync();
        var wasOpen = taking.ContinueWith(_ => Volatile.Read(ref isOpen), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        // As long as a change of the log takes, many times.
        var messages = host.Services.GetRequiredService<IOptions<TopicsOptions>>().Value.Messages.Name;
        await using (var other = await PartitionStore.OpenSharedAsync(_embedded.Log, new(messages, 0), "other", NullLogger.Instance, CancellationToken.None))
        {
            for (var i = 0; i < 20; i++)
            {
                await other.CommitAsync(new StoreRecord[] { new(messages, new() { Key = new byte[] { 1 }, Value = new byte[] { 1 } }) });
                await owner.ReadState(Client);
            }
        }

        Volatile.Write(ref isOpen, true);
        _gate.Open();
        await taking;
        Assert.True(await wasOpen);
        await host.StopAsync();

        async Task TakeAsync()
        {
            switch (what)
            {
                case "a session changes":
                    Assert.False((await owner.WriteState(Client, stored.Value, stored.ETag)).IsConflict);
                    break;
                case "a session ends":
                    Assert.False((await owner.ClearState(Client, stored.ETag)).IsConflict);
                    break;
                default:
                    await grains.GetGrain<ISharedGroupOwnerGrain>(0).Report(new() { MemberPartition = 0, Generation = 1, OwnerGeneration = 0, Sequence = 1, IsComplete = true, Ends = [], Changes = [] });
                    break;
            }
        }
    }
}
