using System.Diagnostics;

namespace OrleansMqtt.TestKit;

/// <summary>
/// Network namespaces on this machine, joined by a bridge: a process in one can be cut off from the others. Needs <c>ip</c> (iproute2) and root; disposing takes all away again.
/// </summary>
public sealed class TestNetwork : IDisposable
{
    private const string AllowedRules = "10";
    private const string CutRule = "20";
    private readonly List<TestNamespace> _namespaces = [];
    private readonly string _bridge = $"omq{Environment.ProcessId % 100_000}";
    private readonly string _prefix = $"10.{200 + (Environment.ProcessId / 250 % 50)}.{Environment.ProcessId % 250}";
    private int _isDisposed;

    private TestNetwork() => AppDomain.CurrentDomain.ProcessExit += OnExit;

    /// <summary>This machine's own address in the network.</summary>
    public string Address => $"{_prefix}.1";

    /// <summary>Why there can be no such network here; null when there can.</summary>
    public static string? WhyNot()
    {
        if (Programs.Find("ip") is null)
        {
            return "'ip' is not installed";
        }

        using TestNetwork network = new();
        try
        {
            network.Start();
            var probe = network.Add();
            network.Cut(probe, [1]);
            network.Heal(probe);
            return null;
        }
        catch (InvalidOperationException exception)
        {
            return exception.Message;
        }
    }

    public static TestNetwork Create()
    {
        TestNetwork network = new();
        try
        {
            network.Start();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A namespace for one process.</summary>
    public TestNamespace Add()
    {
        lock (_namespaces)
        {
            var number = _namespaces.Count + 1;
            TestNamespace added = new($"{_bridge}-{number}", $"{_prefix}.{number + 1}");
            _namespaces.Add(added);
            var link = $"{_bridge}v{number}";
            Run("netns", "add", added.Name);
            Run("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", added.Name);
            Run("link", "set", link, "master", _bridge, "up");
            Run("-n", added.Name, "addr", "add", $"{added.Address}/24", "dev", "eth0");
            Run("-n", added.Name, "link", "set", "lo", "up");
            Run("-n", added.Name, "link", "set", "eth0", "up");
            return added;
        }
    }

    /// <summary>Nothing that a namespace sends arrives any more, but what goes to these ports.</summary>
    public void Cut(TestNamespace of, IEnumerable<int> allowedPorts)
    {
        foreach (var port in allowedPorts)
        {
            Run("-n", of.Name, "rule", "add", "pref", AllowedRules, "to", $"{_prefix}.0/24", "ipproto", "tcp", "dport", $"{port}", "lookup", "main");
        }

        Run("-n", of.Name, "rule", "add", "pref", CutRule, "to", $"{_prefix}.0/24", "blackhole");
    }

    /// <summary>Takes back <see cref="Cut"/>.</summary>
    public void Heal(TestNamespace of)
    {
        Run("-n", of.Name, "rule", "del", "pref", CutRule);
        while (TryRun(["-n", of.Name, "rule", "del", "pref", AllowedRules], out _))
        {
            // The next.
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        foreach (var each in _namespaces)
        {
            TryRun(["netns", "del", each.Name], out _);
        }

        TryRun(["link", "del", _bridge], out _);
    }

    private void Start()
    {
        Run("link", "add", _bridge, "type", "bridge");
        Run("addr", "add", $"{Address}/24", "dev", _bridge);
        Run("link", "set", _bridge, "up");
    }

    private static void Run(params string[] arguments)
    {
        if (!TryRun(arguments, out var output))
        {
            throw new InvalidOperationException($"'ip {string.Join(' ', arguments)}' failed: {output}");
        }
    }

    private static bool TryRun(string[] arguments, out string output)
    {
        using var process = Process.Start(new ProcessStartInfo(Programs.Find("ip")!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        output = process.StandardError.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private void OnExit(object? sender, EventArgs e) => Dispose();
}
