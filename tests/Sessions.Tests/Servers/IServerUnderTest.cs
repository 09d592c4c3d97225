namespace OrleansMqtt.Sessions.Tests.Servers;

/// <summary>A server process that the same tests run against: ours, or one that is known to be right, which shows that the tests are.</summary>
internal interface IServerUnderTest : IAsyncDisposable
{
    /// <summary>Where it listens; another port after a restart.</summary>
    int Port { get; }

    Deviations Deviations { get; }

    /// <summary>Ends without a warning: what was acknowledged must have been stored. A server that does not promise this is stopped in an orderly way.</summary>
    Task CrashAsync();

    Task StartAgainAsync();

    /// <summary>What the process has written, for the report of a failure.</summary>
    IReadOnlyList<string> Output { get; }
}
