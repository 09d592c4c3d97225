using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Keeps what a client's bytes may not cause.</summary>
internal sealed class FuzzLog : ILoggerProvider, ILogger
{
    /// <summary>"Closed client": what the operator is to see of a client that does something wrong.</summary>
    private const int ClientClosed = 4;

    public ConcurrentQueue<string> Unexpected { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && (logLevel > LogLevel.Warning || exception is not null || eventId.Id != ClientClosed))
        {
            Unexpected.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");
        }
    }

    public void Dispose()
    {
    }
}
