using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Runtime.Services;
using OrleansMqtt.Edge.Listeners;

namespace OrleansMqtt.Edge.Tests;

public sealed class SiloTests
{
    [Fact]
    public async Task The_edge_of_a_silo_takes_batches_and_connections()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Mqtt:Listeners:0:Address"] = "127.0.0.1", ["Mqtt:Listeners:0:Port"] = "0" });
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            silo.Configure<EndpointOptions>(options =>
            {
                options.SiloPort = FreePort();
                options.GatewayPort = 0;
            });

            // No grains: those that come with the program are not this test's.
            silo.Configure<GrainTypeOptions>(types => types.Classes.RemoveWhere(type => type.Assembly.GetName().Name == "OrleansMqtt.Grains"));
            silo.AddMqttEdge(builder.Configuration.GetSection("Mqtt"));
        });
        builder.Services.AddSingleton<EdgeClient>();
        await using var app = builder.Build();
        await app.StartAsync();
        var silo = app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var edge = app.Services.GetRequiredService<EdgeClient>().Get(silo);
        var batch = new DeliveryBatch { SessionPartition = 1, Generation = 1, Sequence = 0, Messages = [], Deliveries = [] };
        Assert.Equal(DeliveryResult.Accepted, await edge.Deliver(batch));
        Assert.Equal(DeliveryResult.OutOfSequence, await edge.Deliver(batch));
        await edge.CloseTakenOver(4711);

        // There are no session grains here, and the client is told so.
        var port = ((IPEndPoint)app.Services.GetRequiredService<EdgeListeners>().EndPoints.First()).Port;
        using var client = await RawClient.OpenAsync(port);
        await client.SendAsync(RawClient.ConnectPacket("c", 4));
        Assert.Equal("20020003", await client.ReceiveUntilClosedAsync());
        await app.StopAsync();
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class EdgeClient(IServiceProvider services) : GrainServiceClient<IEdgeService>(services)
    {
        public IEdgeService Get(SiloAddress silo) => GetGrainService(silo);
    }
}
