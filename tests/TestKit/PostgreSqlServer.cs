using System.Diagnostics;
using Xunit;

namespace OrleansMqtt.TestKit;

/// <summary>
/// A real PostgreSQL with all its state in a directory of its own, from the binaries of this machine; it ends with the test program at the latest. <c>ORLEANSMQTT_POSTGRES</c>, a
/// connection string, names one to use instead, which is not ours to stop. With none, a test is skipped; in CI it fails.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string? _binaries;
    private readonly string _directory = "";
    private readonly int _port;
    private readonly string _address = "";
    private ChildProcess? _process;
    private int _isDisposed;

    private PostgreSqlServer(string connectionString) => ConnectionString = connectionString;

    private PostgreSqlServer(string binaries, int port, string address)
    {
        (_binaries, _port, _address) = (binaries, port, address);
        _directory = Directory.CreateTempSubdirectory("orleansmqtt-postgres-").FullName;
        ConnectionString = $"Host={address};Port={port};Username=postgres;Database=postgres";
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public string ConnectionString { get; }

    /// <summary>Its port; 0 of one that was named.</summary>
    public int Port => _port;

    /// <summary>Where the server of this process lies, as the programs <c>initdb</c> and <c>postgres</c>; null when it is not installed.</summary>
    public static string? FindBinaries() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))
            .LastOrDefault(directory => File.Exists(Path.Combine(directory, "initdb")))
        : Programs.Find("initdb") is { } initdb ? Path.GetDirectoryName(initdb) : null;

    /// <summary>Starts one for a test alone, or takes the one that is named.</summary>
    /// <param name="address">Where it listens.</param>
    public static async Task<PostgreSqlServer> StartAsync(string address = "127.0.0.1")
    {
        if (Environment.GetEnvironmentVariable("ORLEANSMQTT_POSTGRES") is { Length: > 0 } connectionString)
        {
            return new(connectionString);
        }

        if (FindBinaries() is not { } binaries)
        {
            const string Reason = "No PostgreSQL: install postgresql, or set ORLEANSMQTT_POSTGRES (a connection string).";
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", Reason);
            throw new InvalidOperationException(Reason);
        }

        PostgreSqlServer server = new(binaries, TestPorts.Free(), address);
        try
        {
            await server.CreateAsync();
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public async Task StartAgainAsync()
    {
        _process = Run("postgres", "-D", Path.Combine(_directory, "data"), "-p", $"{_port}", "-c", $"listen_addresses={_address}", "-c", $"unix_socket_directories={_directory}", "-c", "fsync=off");
        await _process.WaitForLineAsync("ready to accept connections", Limit);
    }

    /// <summary>Ends it with all its connections.</summary>
    public async Task StopAsync()
    {
        var process = _process ?? throw new InvalidOperationException("This PostgreSQL is not ours to stop.");
        process.Signal("INT");
        await process.WaitForExitAsync(Limit);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Dispose()
    {
        if (_binaries is null || Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (_process is { HasExited: false } process)
        {
            // At once, and its own processes with it.
            process.Signal("QUIT");
            process.WaitForExitAsync(Limit).GetAwaiter().GetResult();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task CreateAsync()
    {
        if (Environment.UserName == "root")
        {
            await Process.Start("chown", ["postgres", _directory]).WaitForExitAsync();
        }

        await using var initdb = Run("initdb", "-D", Path.Combine(_directory, "data"), "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions", "--locale=C", "-E", "UTF8");
        await initdb.WaitForExitAsync(Limit);
        if (initdb.ExitCode != 0)
        {
            throw new InvalidOperationException($"initdb ended with {initdb.ExitCode}:{Environment.NewLine}{string.Join(Environment.NewLine, initdb.Lines)}");
        }

        await File.AppendAllTextAsync(Path.Combine(_directory, "data", "pg_hba.conf"), $"host all all {_address}/24 trust{Environment.NewLine}");
    }

    /// <summary>PostgreSQL refuses to run as root; setpriv becomes the program, so that the process is the one that signals go to.</summary>
    private ChildProcess Run(string program, params string[] arguments)
    {
        var path = Path.Combine(_binaries!, program);
        return Environment.UserName == "root"
            ? ChildProcess.Start("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. arguments])
            : ChildProcess.Start(path, arguments);
    }

    private void OnExit(object? sender, EventArgs e) => Dispose();
}
