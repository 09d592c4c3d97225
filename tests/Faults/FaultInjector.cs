using System.Diagnostics;
using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.Faults;

/// <summary>Does the faults to a cluster, and makes it whole again: as many silos and edges as before.</summary>
/// <param name="cluster">The cluster.</param>
/// <param name="ports">Hears which edges are to go.</param>
/// <param name="load">Its slow subscriber and the filters.</param>
/// <param name="random">Chooses the victims.</param>
/// <param name="silos">How many there are.</param>
/// <param name="siloRoles">What their processes do.</param>
/// <param name="outage">How long what is hung or stopped stays so.</param>
internal sealed class FaultInjector(TestCluster cluster, EdgePorts ports, FaultLoad load, Random random, int silos, string siloRoles, TimeSpan outage)
{
    // 20 MB together.
    private const int LargePayload = 20_000;
    private const int LargePayloads = 1_000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan LongestJoining = TimeSpan.FromSeconds(15);

    /// <summary>How long a client may be without service.</summary>
    public TimeSpan Expected(FaultKind kind) => kind switch
    {
        // Its clients notice nothing before it wakes, and closes their connections.
        FaultKind.EdgeHang => (outage * 2) + TimeSpan.FromSeconds(5),
        FaultKind.SiloHang when siloRoles != "silo" => (outage * 2) + TimeSpan.FromSeconds(5),
        FaultKind.SiloHang or FaultKind.SiloIsolation => TimeSpan.FromSeconds(12),
        // Nobody is left who could declare the others dead: those that come wait until they have been silent for long enough.
        FaultKind.WholeClusterKill => TimeSpan.FromSeconds(30),
        // A pause of deliveries; nobody's connection is touched.
        FaultKind.PlannedMove => TimeSpan.FromSeconds(1),
        FaultKind.KafkaPause => outage + TimeSpan.FromSeconds(5),
        // A broker stops and starts in some seconds.
        FaultKind.KafkaRestart => outage + TimeSpan.FromSeconds(25),
        _ => TimeSpan.FromSeconds(5),
    };

    /// <summary>How many connections the last fault had to end.</summary>
    public int LeastClosed { get; private set; }

    /// <summary>Whether the fault may end connections: those of an edge that it touches.</summary>
    public bool MayClose(FaultKind kind) => kind switch
    {
        FaultKind.EdgeKill or FaultKind.EdgeHang or FaultKind.RollingRestart or FaultKind.WholeClusterKill => true,
        FaultKind.SiloKill or FaultKind.SiloHang or FaultKind.SiloIsolation or FaultKind.PlannedMove => siloRoles != "silo",
        _ => false,
    };

    /// <summary>Ends when all is as before.</summary>
    /// <param name="kind">What to do.</param>
    /// <param name="during">Called while the fault lasts.</param>
    public async Task InjectAsync(FaultKind kind, Action during)
    {
        LeastClosed = 0;
        switch (kind)
        {
            case FaultKind.SiloKill:
                await Choose(siloRoles).KillAsync();
                during();
                await cluster.AddAsync(siloRoles);
                await WaitForSilosAsync();
                break;
            case FaultKind.JoiningSiloKill:
                await KillWhileJoiningAsync(during);
                break;
            case FaultKind.SiloHang:
                await PutAsideAsync(Choose(siloRoles), Hang, Wake, during);
                break;
            case FaultKind.SiloIsolation:
                await PutAsideAsync(Choose(siloRoles), cluster.Isolate, cluster.Rejoin, during);
                break;
            case FaultKind.EdgeKill:
                var edge = ChooseEdge();
                await edge.KillAsync();
                during();
                await cluster.AddAsync("edge");
                break;
            case FaultKind.EdgeHang:
                await PutAsideAsync(ChooseEdge(), Hang, Wake, during);
                break;
            case FaultKind.PlannedMove:
                var joined = await cluster.AddAsync(siloRoles);
                await WaitForSilosAsync(silos + 1);
                during();
                ports.Close(joined);
                await StopAsync(joined);
                await WaitForSilosAsync();
                break;
            case FaultKind.RollingRestart:
                await RestartAllAsync(during);
                break;
            case FaultKind.WholeClusterKill:
                var all = Members();
                LeastClosed = all.Where(static process => process.Port != 0).Sum(process => load.CountAt(process.Port));
                await Task.WhenAll(all.Select(static process => process.KillAsync()));
                during();
                await Task.WhenAll(all.Select(process => cluster.AddAsync(process.Roles)));
                await WaitForSilosAsync();
                break;
            case FaultKind.KafkaRestart:
                await cluster.Kafka.StopAsync();
                during();
                await LastAsync(outage / 2);
                await cluster.Kafka.StartAgainAsync();
                break;
            case FaultKind.KafkaPause:
                await cluster.Kafka.PauseAsync();
                during();
                await LastAsync(outage);
                await cluster.Kafka.ResumeAsync();
                break;
            case FaultKind.PostgresRestart:
                await cluster.PostgreSql.StopAsync();
                during();
                await LastAsync(outage);
                await cluster.PostgreSql.StartAgainAsync();
                break;
            case FaultKind.SlowSubscriber:
                await BeSlowAsync(during);
                break;
            case FaultKind.ConnectFlood:
                during();
                await FloodAsync();
                break;
            case FaultKind.MalformedPackets:
                during();
                await SendMalformedAsync();
                break;
        }
    }

    private static void Hang(ServerProcess process) => process.Hang();

    private static void Wake(ServerProcess process) => process.Wake();

    /// <summary>One more silo is lost at any moment between its first breath in the cluster and its first partitions.</summary>
    private async Task KillWhileJoiningAsync(Action during)
    {
        var joining = cluster.Launch(siloRoles);
        await joining.Process.WaitForLineAsync("Messages live on", Limit);
        await LastAsync(TimeSpan.FromMilliseconds(1 + random.Next((int)LongestJoining.TotalMilliseconds)));
        await joining.KillAsync();
        during();
        await WaitForSilosAsync();
    }

    private static async Task LastAsync(TimeSpan time)
    {
        using PeriodicTimer timer = new(time);
        await timer.WaitForNextTickAsync();
    }

    private ServerProcess[] Members() => [.. cluster.Running(siloRoles), .. cluster.Running("edge")];

    private ServerProcess Choose(string roles)
    {
        var running = cluster.Running(roles);
        return running[random.Next(running.Count)];
    }

    private ServerProcess ChooseEdge()
    {
        var edge = Choose("edge");
        LeastClosed = load.CountAt(edge.Port);
        return LeastClosed > 0 ? edge : throw new InvalidOperationException($"No client is at {edge.Name}.");
    }

    /// <summary>All that run see so many silos; one that ended itself is replaced.</summary>
    private Task WaitForSilosAsync() => WaitForSilosAsync(silos);

    private async Task WaitForSilosAsync(int count)
    {
        var start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            while (cluster.Running(siloRoles).Count < count)
            {
                await cluster.AddAsync(siloRoles);
            }

            try
            {
                var views = await Task.WhenAll(Members().Select(process => process.GetClusterAsync())).WaitAsync(TimeSpan.FromSeconds(10));
                if (Array.TrueForAll(views, view => view.Owners.Count == count && view.Misplaced == 0))
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException && Stopwatch.GetElapsedTime(start) < Limit)
            {
                // It ends just now.
            }

            if (Stopwatch.GetElapsedTime(start) > Limit)
            {
                throw new TimeoutException($"Not {count} silos within {Limit}: {await DescribeAsync()}");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    private async Task<string> DescribeAsync() => string.Join("; ", await Task.WhenAll(Members().Select(async process =>
    {
        try
        {
            return $"{process.Name}: {await process.GetClusterAsync().WaitAsync(TimeSpan.FromSeconds(10))}";
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
        {
            return $"{process.Name}: {exception.Message}";
        }
    })));

    /// <summary>Takes a process out of the cluster for twice the outage, or until it ends.</summary>
    private async Task PutAsideAsync(ServerProcess process, Action<ServerProcess> begin, Action<ServerProcess> end, Action during)
    {
        begin(process);
        try
        {
            during();
            await FaultLoad.WaitAsync(() => process.Process.HasExited, outage * 2);
        }
        finally
        {
            end(process);
        }

        // Its place was taken meanwhile: it ends, or comes back.
        await FaultLoad.WaitAsync(() => process.Process.HasExited, TimeSpan.FromSeconds(10));
        if (process.Process.HasExited && process.Roles == "edge")
        {
            await cluster.AddAsync("edge");
        }

        await WaitForSilosAsync();
    }

    private async Task RestartAllAsync(Action during)
    {
        foreach (var process in Members())
        {
            ports.Close(process);
            await StopAsync(process);
            during();
            await cluster.AddAsync(process.Roles);
            await WaitForSilosAsync();
        }
    }

    private async Task StopAsync(ServerProcess process)
    {
        var exitCode = await process.StopAsync();
        if (exitCode != 0)
        {
            load.Ledger.Violations.Enqueue($"{process.Name} ended with {exitCode} after SIGTERM");
        }
    }

    private async Task BeSlowAsync(Action during)
    {
        // One that acknowledges nothing, and one that does not even read, and gets more than any buffer on the way to it holds.
        load.Slow.AnswersItself = false;
        using ClientConnection deaf = new(receiveBufferSize: 8 * 1024);
        using CancellationTokenSource timeout = new(Limit);
        await deaf.OpenAsync(ports.Take(0), timeout.Token);
        deaf.TrySend(PacketWriter.Connect(new(4, $"{load.Prefix}-deaf") { CleanStart = true }));
        deaf.TrySend(PacketWriter.Subscribe(4, 1, $"{load.Prefix}/#", 0));
        await deaf.ReadAsync(timeout.Token);
        await deaf.ReadAsync(timeout.Token);
        during();
        using SessionClient generous = new($"{load.Prefix}-generous", 5, new NoObserver());
        await generous.ConnectAsync(ports.Take(1), cleanStart: true, null);
        var payload = new string('x', LargePayload);
        for (var i = 0; i < LargePayloads; i++)
        {
            generous.Publish($"{load.Prefix}/large", payload, qos: 1);
            await generous.WaitAsync(() => generous.Outgoing < 10, Limit);
        }

        await LastAsync(outage);
        load.Slow.AnswersItself = true;
        load.Slow.Answer(Answers.All);
    }

    private Task FloodAsync() => Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
    {
        for (var i = 0; i < 50; i++)
        {
            using SessionClient client = new($"{load.Prefix}-flood-{number}-{i}", i % 2 == 0 ? 4 : 5, new NoObserver());
            await client.ConnectAsync(ports.Take(i), cleanStart: true, null);
            client.Drop(isReset: i % 3 == 0);
        }
    }));

    private async Task SendMalformedAsync()
    {
        for (var i = 0; i < 200; i++)
        {
            using ClientConnection connection = new();
            using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(20));
            await connection.OpenAsync(ports.Take(i), timeout.Token);
            var packet = new byte[random.Next(8, 200)];
            random.NextBytes(packet);
            if (i % 2 == 0)
            {
                connection.TrySend(PacketWriter.Connect(new(4, $"{load.Prefix}-bad-{i}") { CleanStart = true }));
                await connection.ReadAsync(timeout.Token);
                // A packet type that is not allowed, with a length that fits.
                (packet[0], packet[1]) = (0xF3, (byte)Math.Min(packet.Length - 2, 127));
            }
            else
            {
                (packet[0], packet[1]) = (0x10, 6);
            }

            connection.TrySend(packet);
            try
            {
                while (await connection.ReadAsync(timeout.Token) is not null)
                {
                    // A DISCONNECT or CONNACK first.
                }
            }
            catch (OperationCanceledException)
            {
                load.Ledger.Violations.Enqueue($"A connection lives on after {Convert.ToHexString(packet)}");
            }
        }
    }

    private sealed class NoObserver : SessionObserver;
}
