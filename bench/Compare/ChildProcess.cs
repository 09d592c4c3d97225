using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OrleansMqtt.Compare;

/// <summary>A started program with its output in a file. Ends when disposed: SIGTERM first, SIGKILL after ten seconds.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StreamWriter _log;

    private ChildProcess(Process process, string logFile)
    {
        _process = process;
        LogFile = logFile;
        _log = new StreamWriter(logFile) { AutoFlush = true };
    }

    public int Id => _process.Id;

    public string LogFile { get; }

    public bool HasExited => _process.HasExited;

    public static ChildProcess Start(string program, IEnumerable<string> arguments, string logFile, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new CompareException($"cannot start {program}: {error.Message}");
        }

        var child = new ChildProcess(process, logFile);
        process.OutputDataReceived += child.Log;
        process.ErrorDataReceived += child.Log;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs a program to its end; returns its exit code.</summary>
    public static async Task<int> RunAsync(string program, IEnumerable<string> arguments, string logFile, CancellationToken cancellation)
    {
        await using var child = Start(program, arguments, logFile);
        await child._process.WaitForExitAsync(cancellation);
        return child._process.ExitCode;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until the port accepts connections.</summary>
    public Task WaitForPortAsync(int port, TimeSpan limit, CancellationToken cancellation) => WaitForAsync($"port {port}", limit, async () =>
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, cancellation);
        return true;
    }, cancellation);

    /// <summary>Waits until a condition holds; fails when the process ends or the time is over.</summary>
    public async Task WaitForAsync(string what, TimeSpan limit, Func<Task<bool>> condition, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception error) when (error is SocketException or HttpRequestException)
            {
                // Not yet.
            }

            if (HasExited)
            {
                throw new CompareException($"{_process.StartInfo.FileName} ended with {_process.ExitCode} before it was ready; see {LogFile}");
            }

            if (Stopwatch.GetElapsedTime(start) > limit)
            {
                throw new CompareException($"{_process.StartInfo.FileName} was not ready ({what}) within {limit.TotalSeconds:F0} s; see {LogFile}");
            }

            await Task.Delay(50, cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            {
                await kill.WaitForExitAsync();
            }

            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
        }

        _process.WaitForExit();
        _process.Dispose();
        await _log.DisposeAsync();
    }

    private void Log(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            lock (_log)
            {
                _log.WriteLine(line.Data);
            }
        }
    }
}
