using System.Diagnostics;

namespace OrleansMqtt.TestKit;

/// <summary>A program under test, with its output as lines; disposing kills it.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = NewSignal();

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Bytes in memory.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Which lines are kept from now on; all, if not set. For a program that writes more than fits into memory.</summary>
    public Predicate<string> Keeps { private get; set; } = static _ => true;

    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        Process process = new() { StartInfo = info };
        ChildProcess child = new(process);
        process.OutputDataReceived += (_, line) => child.Add(line.Data);
        process.ErrorDataReceived += (_, line) => child.Add(line.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => child.Signal();
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits for a line that contains a text; fails with all lines when the program ends first, or after a time limit.</summary>
    public Task<string> WaitForLineAsync(string text, TimeSpan limit) => WaitForLineAsync(text, 1, limit);

    /// <summary>The line of that number, from 1, among those that contain a text.</summary>
    public async Task<string> WaitForLineAsync(string text, int number, TimeSpan limit)
    {
        using CancellationTokenSource timeout = new(limit);
        var hasEnded = false;
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_lines.Where(line => line.Contains(text, StringComparison.Ordinal)).ElementAtOrDefault(number - 1) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            if (_process.HasExited && !hasEnded)
            {
                // What it wrote at last may be on its way still.
                await _process.WaitForExitAsync(timeout.Token);
                hasEnded = true;
                continue;
            }

            if (hasEnded)
            {
                throw new InvalidOperationException($"The program ended without '{text}':{Environment.NewLine}{string.Join(Environment.NewLine, Lines)}");
            }

            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"No line with '{text}' within {limit}:{Environment.NewLine}{string.Join(Environment.NewLine, Lines)}");
            }
        }
    }

    public async Task WaitForExitAsync(TimeSpan limit)
    {
        using CancellationTokenSource timeout = new(limit);
        await _process.WaitForExitAsync(timeout.Token);
    }

    public void Signal(string signal) => Process.Start("kill", [$"-{signal}", $"{Id}"]).WaitForExit();

    /// <summary>Kills it and waits for its end; for where nothing can be awaited.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Add(string? line)
    {
        if (line is not null && Keeps(line))
        {
            lock (_lock)
            {
                _lines.Add(line);
            }
        }

        Signal();
    }

    private void Signal()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
            _changed = NewSignal();
        }
    }
}
