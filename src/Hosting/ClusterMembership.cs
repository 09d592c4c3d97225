using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Hosting;

/// <summary>Makes a silo a member of the cluster that the settings name.</summary>
internal static class ClusterMembership
{
    public static void AddMembership(this ISiloBuilder silo, ClusterOptions cluster)
    {
        silo.Configure<MemberOptions>(member =>
        {
            member.OwnsPartitions = cluster.Roles.HasFlag(ClusterRoles.Silo);
            member.HasEdge = cluster.Roles.HasFlag(ClusterRoles.Edge);
        });
        silo.Configure<PartitionHandOverOptions>(handOver => handOver.Limit = cluster.HandOverTimeout);
        var port = cluster.SiloPort == 0 ? FreePort() : cluster.SiloPort;
        if (cluster.IsAlone)
        {
            silo.UseLocalhostClustering(port, gatewayPort: 0, serviceId: cluster.ServiceId, clusterId: cluster.ClusterId);
        }
        else
        {
            silo.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
            silo.Configure<EndpointOptions>(endpoint =>
            {
                var address = cluster.AdvertisedAddress ?? (cluster.PrimarySilo is { } primary && IPAddress.IsLoopback(primary.Address) ? primary.Address : null);
                (endpoint.SiloPort, endpoint.GatewayPort) = (port, 0);
                if (address is not null)
                {
                    endpoint.AdvertisedIPAddress = address;
                }

                // On every address, unless nobody else can come: in a container the advertised one may not be one of its own.
                endpoint.SiloListeningEndpoint = new(address is not null && IPAddress.IsLoopback(address) ? address : Any(address), port);
            });
            if (cluster.Database is { } database)
            {
                silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (database.Invariant, database.ConnectionString));
            }
            else
            {
                silo.UseDevelopmentClustering(cluster.PrimarySilo!);
            }
        }

        silo.Configure<ClusterMembershipOptions>(options =>
        {
            // Measured: a killed silo is found dead in about a second, a hung one in five.
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            options.MinProbeTimeout = TimeSpan.FromSeconds(0.5);
            options.MaxProbeTimeout = TimeSpan.FromSeconds(2);
            options.NumMissedProbesLimit = 3;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(10);

            // When so many are missed, one that was lost together with all others holds up nobody who joins.
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
            options.NumMissedTableIAmAliveLimit = 3;
        });

        // Orleans' default directory deactivates grains on healthy silos whenever any silo leaves.
#pragma warning disable ORLEANSEXP003
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003

        // The log keeps two owners of a partition apart, so nobody has to wait until a dead one's time is over.
        silo.Configure<GrainDirectoryOptions>(options => options.RangeLeaseDuration = TimeSpan.Zero);
    }

    private static IPAddress Any(IPAddress? address) => address?.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;

    /// <summary>
    /// A free port below those that systems hand out by themselves: none of this machine's outgoing connections, nor a listener on port 0, takes it before the silo does.
    /// </summary>
    private static int FreePort()
    {
        while (true)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            IPEndPoint endPoint = new(IPAddress.Any, Random.Shared.Next(12_000, 20_000));
            try
            {
                socket.Bind(endPoint);
                return endPoint.Port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one then.
            }
        }
    }
}
