using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OrleansMqtt.LoadGenerator.Tests;

/// <summary>A mosquitto of one test.</summary>
internal sealed class Mosquitto : IDisposable
{
    private readonly Process _process;
    private readonly string _configuration = Path.GetTempFileName();

    private Mosquitto(string program, string more)
    {
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        // mosquitto closes a 3.1.1 connection that has more unfinished QoS 2 publishes than max_inflight_messages: 20, unless told otherwise.
        string[] limits = ["max_queued_messages", "max_inflight_messages"];
        string unlimited = string.Concat(limits.Where(limit => !more.Contains(limit, StringComparison.Ordinal)).Select(limit => $"{limit} 0\n"));
        File.WriteAllText(_configuration, $"listener {Port} 127.0.0.1\nallow_anonymous true\npersistence false\n{unlimited}log_dest none\n{more}\n");
        _process = Process.Start(program, ["-c", _configuration]);
    }

    public int Port { get; }

    /// <summary>Where mosquitto is installed; null when it is not.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(p => Path.Combine(p, "mosquitto")).FirstOrDefault(File.Exists);

    public static async Task<Mosquitto> StartAsync(CancellationToken cancellation, string more = "")
    {
        var mosquitto = new Mosquitto(Program!, more);
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, mosquitto.Port, cancellation);
                return mosquitto;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start).TotalSeconds < 20)
            {
                await Task.Delay(20, cancellation);
            }
        }
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
        File.Delete(_configuration);
    }
}
