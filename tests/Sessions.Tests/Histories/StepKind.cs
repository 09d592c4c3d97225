namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>What can happen in a history.</summary>
internal enum StepKind
{
    /// <summary>A client connects; when it is connected already, it takes over.</summary>
    Connect,

    /// <summary>A client's socket is closed without a DISCONNECT.</summary>
    Drop,

    /// <summary>The same with a reset, which makes the server lose what it has not read.</summary>
    Reset,

    Disconnect,

    /// <summary>DISCONNECT with a Session Expiry Interval of 0 (MQTT 5).</summary>
    EndSession,

    Subscribe,

    Unsubscribe,

    Publish,

    /// <summary>A client sends some of the acknowledgements that it owes.</summary>
    Answer,

    /// <summary>A client answers everything, until it has all that it should have.</summary>
    Settle,

    /// <summary>The server ends without a warning and starts again.</summary>
    Crash,
}
