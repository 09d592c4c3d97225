using System.Diagnostics;

namespace OrleansMqtt.TestKit;

/// <summary>A cluster of real processes on a real Kafka and a real PostgreSQL, with topics of its own. Silos and edges can be added, killed and hung; disposing ends them all.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly List<ServerProcess> _processes = [];
    private readonly HashSet<ServerProcess> _replaced = [];
    private readonly bool _ownsKafka;
    private readonly bool _isAdvertised;

    private TestCluster(KafkaBroker kafka, bool ownsKafka, PostgreSqlServer postgres, TestNetwork? network, bool isAdvertised)
    {
        (Kafka, _ownsKafka, PostgreSql, Network, _isAdvertised) = (kafka, ownsKafka, postgres, network, isAdvertised);
        var id = $"t{Guid.NewGuid():N}";
        Settings = new()
        {
            ["Log__Kafka__BootstrapServers"] = kafka.BootstrapServers,
            ["Log__Kafka__TransactionalIdPrefix"] = $"{id}-",
            ["Topics__Messages__Name"] = $"{id}-messages",
            ["Topics__Messages__Partitions"] = "8",
            ["Topics__Retained__Name"] = $"{id}-retained",
            ["Topics__Sessions__Name"] = $"{id}-sessions",
            ["Topics__Sessions__Partitions"] = "8",
            ["Cluster__Database"] = "PostgreSql",
            ["Cluster__ConnectionString"] = postgres.ConnectionString,
            ["Cluster__ClusterId"] = id,
            ["Cluster__AdvertisedAddress"] = network?.Address ?? "127.0.0.1",
        };
    }

    public KafkaBroker Kafka { get; }

    public PostgreSqlServer PostgreSql { get; }

    /// <summary>Where each silo has a namespace of its own; null without.</summary>
    public TestNetwork? Network { get; }

    /// <summary>The settings of all processes that start from now on.</summary>
    public Dictionary<string, string> Settings { get; }

    /// <summary>All processes that were started.</summary>
    public IReadOnlyList<ServerProcess> Processes => _processes;

    /// <summary>Those with these roles that have not ended, in the order of their start.</summary>
    public IReadOnlyList<ServerProcess> Running(string roles)
    {
        lock (_processes)
        {
            return [.. _processes.Where(process => process.Roles == roles && process.IsRunning)];
        }
    }

    /// <summary>Starts PostgreSQL with the schema, and the processes: those of the silos first, then the edges.</summary>
    /// <param name="silos">Processes with the roles <paramref name="siloRoles"/>.</param>
    /// <param name="edges">Processes with the role <c>edge</c> alone.</param>
    /// <param name="siloRoles"><c>silo</c> or <c>silo,edge</c>.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <param name="hasOwnKafka">Whether the broker is this cluster's alone, so that a test may stop it.</param>
    /// <param name="network">Where each silo gets a namespace of its own, so that a test may cut it off; needs an own Kafka. The cluster disposes it.</param>
    /// <param name="isAdvertised">Whether all edges say where clients reach them.</param>
    public static async Task<TestCluster> StartAsync(
        int silos, int edges, string siloRoles = "silo,edge", Action<Dictionary<string, string>>? configure = null, bool hasOwnKafka = false, TestNetwork? network = null,
        bool isAdvertised = false)
    {
        var address = network?.Address ?? "127.0.0.1";
        var cluster = new TestCluster(
            hasOwnKafka ? await KafkaBroker.StartOwnAsync(address: address) : await KafkaBroker.SharedAsync(), hasOwnKafka, await PostgreSqlServer.StartAsync(address), network, isAdvertised);
        try
        {
            configure?.Invoke(cluster.Settings);
            if (cluster.Settings.ContainsKey("Cluster__Database"))
            {
                var (exitCode, output) = await cluster.CreateSchemaAsync();
                if (exitCode != 0)
                {
                    throw new InvalidOperationException($"create-schema ended with {exitCode}: {output}");
                }
            }

            await Task.WhenAll(Enumerable.Range(0, silos).Select(_ => cluster.AddAsync(siloRoles)).Concat(Enumerable.Range(0, edges).Select(_ => cluster.AddAsync("edge"))));
            await cluster.WaitForOwnersAsync(silos, cluster.ReplaceLostAsync);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task<(int ExitCode, string Output)> CreateSchemaAsync()
    {
        await using var command = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), "create-schema"], Settings);
        await command.WaitForExitAsync(Limit);
        return (command.ExitCode, string.Join(Environment.NewLine, command.Lines));
    }

    /// <summary>Adds a process and waits until it serves.</summary>
    /// <param name="roles">The setting <c>Cluster:Roles</c>.</param>
    /// <param name="isAdvertised">Whether its edge says where clients reach it, so that others send clients there.</param>
    public async Task<ServerProcess> AddAsync(string roles, bool isAdvertised = false)
    {
        var process = Prepare(roles, isAdvertised);
        await process.StartAsync();
        return process;
    }

    /// <summary>Adds a process that begins by now, and may never serve.</summary>
    public ServerProcess Launch(string roles)
    {
        var process = Prepare(roles, isAdvertised: false);
        process.Launch();
        return process;
    }

    /// <summary>Waits until every living process sees that many silos with partitions, and no grain is where it does not belong.</summary>
    public Task WaitForOwnersAsync(int silos) => WaitForOwnersAsync(silos, static () => Task.CompletedTask);

    private async Task WaitForOwnersAsync(int silos, Func<Task> beforeLook)
    {
        var start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            await beforeLook();
            var views = await Task.WhenAll(_processes.Where(process => !process.Process.HasExited).Select(process => process.GetClusterAsync()));
            if (Array.TrueForAll(views, view => view.Owners.Count == silos && view.Misplaced == 0))
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(start) > Limit)
            {
                // Logs are long: what there is to see comes last.
                var ended = _processes.Where(static process => process.Process.HasExited).Select(static process => $"{process.Name} has ended with {process.Process.ExitCode}: {(process.Process.Lines is [.., var last] ? last : "without a word")}");
                throw new TimeoutException(string.Join(Environment.NewLine, [Logs(), $"Not {silos} silos:", .. views.Select(static view => $"{view}"), .. ended]));
            }

            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>
    /// Does what a supervisor does for a process that has ended itself because the others took it for dead, as they may on a machine that does not let it run for seconds. No other process may end.
    /// </summary>
    private async Task ReplaceLostAsync()
    {
        foreach (var lost in _processes.Where(process => process.Process.HasExited && !_replaced.Contains(process)).ToArray())
        {
            if (!lost.Process.Lines.Any(static line => line.Contains("I have been told I am dead", StringComparison.Ordinal)))
            {
                throw new InvalidOperationException(string.Join(Environment.NewLine, [$"{lost.Name} has ended with {lost.Process.ExitCode}:", .. lost.Process.Lines]));
            }

            _replaced.Add(lost);
            await AddAsync(lost.Roles);
        }
    }

    /// <summary>Cuts a silo off from all other processes of the cluster; Kafka and the database stay in its reach.</summary>
    public void Isolate(ServerProcess silo) => Network!.Cut(silo.Namespace!, [PortOf(Kafka.BootstrapServers), PostgreSql.Port]);

    /// <summary>Takes back <see cref="Isolate"/>.</summary>
    public void Rejoin(ServerProcess silo) => Network!.Heal(silo.Namespace!);

    /// <summary>What all processes have written, for the message of a failure.</summary>
    public string Logs() => string.Join(Environment.NewLine, _processes.SelectMany(process => process.Process.Lines.Prepend($"--- {process.Name}")));

    private static int PortOf(string address) => int.Parse(address[(address.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    private ServerProcess Prepare(string roles, bool isAdvertised)
    {
        Dictionary<string, string> settings = new(Settings);
        if (isAdvertised || (_isAdvertised && roles.Contains("edge", StringComparison.Ordinal)))
        {
            var port = TestPorts.Free();
            settings["Mqtt__Listeners__0__Port"] = $"{port}";
            settings["Mqtt__AdvertisedAddress"] = $"127.0.0.1:{port}";
        }

        lock (_processes)
        {
            ServerProcess process = new($"{roles}-{_processes.Count}", roles, settings, roles == "silo" ? Network?.Add() : null);
            _processes.Add(process);
            return process;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_processes.Select(process => process.DisposeAsync().AsTask()));
        await PostgreSql.DisposeAsync();
        if (_ownsKafka)
        {
            await Kafka.DisposeAsync();
        }

        Network?.Dispose();
    }
}
