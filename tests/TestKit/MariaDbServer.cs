namespace OrleansMqtt.TestKit;

/// <summary>
/// A real MariaDB with all its state in a directory of its own, from the binaries of this machine; it ends with the test program at the latest. With none, a test is skipped; in CI it fails.
/// </summary>
public sealed class MariaDbServer : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-mariadb-").FullName;
    private readonly int _port = TestPorts.Free();
    private ChildProcess? _process;

    private MariaDbServer()
    {
    }

    public string ConnectionString => $"Server=127.0.0.1;Port={_port};User ID=root;Database=test";

    /// <summary>Starts one for a test alone.</summary>
    public static async Task<MariaDbServer> StartAsync()
    {
        Programs.Require("mariadbd", "mariadb-install-db");
        MariaDbServer database = new();
        try
        {
            await database.StartAsync(Programs.Find("mariadb-install-db")!, Programs.Find("mariadbd")!);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartAsync(string install, string server)
    {
        var user = Environment.UserName;
        var data = Path.Combine(_directory, "data");
        await using var installing = ChildProcess.Start(install, ["--no-defaults", $"--datadir={data}", $"--user={user}", "--auth-root-authentication-method=normal"]);
        await installing.WaitForExitAsync(Limit);
        if (installing.ExitCode != 0)
        {
            throw new InvalidOperationException($"mariadb-install-db ended with {installing.ExitCode}:{Environment.NewLine}{string.Join(Environment.NewLine, installing.Lines)}");
        }

        _process = ChildProcess.Start(
            server, ["--no-defaults", $"--datadir={data}", $"--user={user}", $"--port={_port}", "--bind-address=127.0.0.1", $"--socket={Path.Combine(_directory, "socket")}", $"--pid-file={Path.Combine(_directory, "pid")}"]);
        await _process.WaitForLineAsync("ready for connections", Limit);
    }
}
