using System.Text.Json;

namespace OrleansMqtt.TestKit;

/// <summary>One process of a cluster, on ports that it takes itself. It can be killed, hung, and started again with the same settings; the ports are others then.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private readonly string _program;
    private readonly bool _hasEdge;
    private readonly Dictionary<string, string> _settings;
    private readonly string _address;
    private ChildProcess? _process;

    /// <param name="name">What tests call it.</param>
    /// <param name="roles">The setting <c>Cluster:Roles</c>; <c>edge</c> alone runs the edge's own program.</param>
    /// <param name="settings">All other settings.</param>
    /// <param name="place">Where it runs; null without a network of its own.</param>
    internal ServerProcess(string name, string roles, IReadOnlyDictionary<string, string> settings, TestNamespace? place = null)
    {
        (Name, Roles, Namespace) = (name, roles, place);
        _program = roles == "edge" ? "OrleansMqtt.Edge.dll" : "OrleansMqtt.Silo.dll";
        _hasEdge = roles.Contains("edge", StringComparison.Ordinal);
        _settings = new(settings) { ["Cluster__Roles"] = roles, ["Http__Port"] = "0", ["Http__Dashboard"] = "false" };
        if (place is not null)
        {
            _settings["Cluster__AdvertisedAddress"] = _settings["Http__Address"] = place.Address;
        }

        _address = place?.Address ?? "127.0.0.1";
        _settings["Mqtt__Listeners__0__Address"] = _address;
        _settings.TryAdd("Mqtt__Listeners__0__Port", "0");
    }

    public string Name { get; }

    /// <summary>Where it runs; null without a network of its own.</summary>
    public TestNamespace? Namespace { get; }

    /// <summary>The setting <c>Cluster:Roles</c>.</summary>
    public string Roles { get; }

    /// <summary>Where MQTT clients connect; 0 without the role <c>edge</c>.</summary>
    public int Port { get; private set; }

    public int HttpPort { get; private set; }

    public ChildProcess Process => _process!;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts it and waits until it serves.</summary>
    public async Task StartAsync()
    {
        Launch();
        if (_hasEdge)
        {
            Port = PortOf(await Process.WaitForLineAsync("Listening for MQTT and", StartLimit), $"{_address}:");
        }

        HttpPort = PortOf(await Process.WaitForLineAsync("Health and metrics on", StartLimit), $"http://{_address}:");
    }

    /// <summary>Starts it, and waits for nothing.</summary>
    internal void Launch()
    {
        var program = Path.Combine(AppContext.BaseDirectory, _program);
        _process = Namespace is null
            ? ChildProcess.Start("dotnet", [program], _settings)
            : ChildProcess.Start(Programs.Find("ip")!, ["netns", "exec", Namespace.Name, "dotnet", program], _settings);
    }

    /// <summary>SIGTERM, and its exit code.</summary>
    public async Task<int> StopAsync()
    {
        Process.Signal("TERM");
        await Process.WaitForExitAsync(StartLimit);
        return Process.ExitCode;
    }

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => Process.KillAsync();

    /// <summary>SIGSTOP.</summary>
    public void Hang() => Process.Signal("STOP");

    /// <summary>SIGCONT.</summary>
    public void Wake() => Process.Signal("CONT");

    /// <summary>The status and the body of a page.</summary>
    public async Task<string> GetAsync(string path)
    {
        using HttpClient client = new();
        using var response = await client.GetAsync(new Uri($"http://{_address}:{HttpPort}{path}"));
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
    }

    /// <summary>What the process knows of its cluster.</summary>
    public async Task<ClusterView> GetClusterAsync()
    {
        using HttpClient client = new();
        await using var body = await client.GetStreamAsync(new Uri($"http://{_address}:{HttpPort}/cluster"));
        return (await JsonSerializer.DeserializeAsync<ClusterView>(body, JsonSerializerOptions.Web))!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    private static int PortOf(string line, string before)
    {
        var digits = line[(line.LastIndexOf(before, StringComparison.Ordinal) + before.Length)..].TakeWhile(char.IsAsciiDigit);
        return int.Parse(string.Concat(digits), System.Globalization.CultureInfo.InvariantCulture);
    }
}
