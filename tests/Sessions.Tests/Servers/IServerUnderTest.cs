namespace OrleansMqtt.Sessions.Tests.Servers;

/// <summary>A server process that the same tests run against: ours, or one that is known to be right, which shows that the tests are.</summary>
internal interface IServerUnderTest : IAsyncDisposable
{
    /// <summary>Where it listens; another port after a restart.</summary>
    int Port { get; }

    /// <summary>The order of a publisher's messages on a topic holds across QoS 1 and 2, as ours promises; the specification wants it per QoS only.</summary>
    bool OrdersAcrossQualities { get; }

    /// <summary>A QoS 2 message is taken over with PUBREC; otherwise only with PUBCOMP.</summary>
    bool TakesOverWithPubRec { get; }

    /// <summary>The Receive Maximum of a connection counts from its CONNECT on; otherwise that of the session's first connection goes on counting.</summary>
    bool RenewsReceiveMaximum { get; }

    /// <summary>A crash spares everything; otherwise not a session since a connect with Clean Start, nor that PUBREC has come.</summary>
    bool KeepsAllInCrash { get; }

    /// <summary>Ends without a warning: what was acknowledged must have been stored. A server that does not promise this is stopped in an orderly way.</summary>
    Task CrashAsync();

    Task StartAgainAsync();

    /// <summary>What the process has written, for the report of a failure.</summary>
    IReadOnlyList<string> Output { get; }
}
