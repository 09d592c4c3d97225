namespace OrleansMqtt.TestKit;

/// <summary>The real server as a process, on ports that it takes itself. Can be killed and started again with the same settings; the ports are others then.</summary>
public sealed class MqttServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Dictionary<string, string> _settings;
    private ChildProcess? _process;

    private MqttServer(Dictionary<string, string> settings)
    {
        _settings = settings;
        _settings["Mqtt__Listeners__0__Address"] = "127.0.0.1";
        _settings["Mqtt__Listeners__0__Port"] = "0";
        _settings["Http__Port"] = "0";
    }

    public int Port { get; private set; }

    public int HttpPort { get; private set; }

    public ChildProcess Process => _process!;

    public static async Task<MqttServer> StartAsync(Dictionary<string, string> settings)
    {
        MqttServer server = new(settings);
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        _process = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll")], _settings);
        Port = PortOf(await _process.WaitForLineAsync("Listening for MQTT and", StartLimit), "127.0.0.1:");
        HttpPort = PortOf(await _process.WaitForLineAsync("Health and metrics on", StartLimit), "http://127.0.0.1:");
    }

    public async Task<string> GetAsync(string path)
    {
        using HttpClient client = new();
        using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{HttpPort}{path}"));
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
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
