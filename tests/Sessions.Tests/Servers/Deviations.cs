namespace OrleansMqtt.Sessions.Tests.Servers;

/// <summary>What a server does otherwise than ours promises; the tests do not ask it for that.</summary>
[Flags]
internal enum Deviations
{
    None = 0,

    /// <summary>The order of a publisher's messages on a topic holds for each QoS alone, which is all that the specification wants.</summary>
    OrderOfEachQoS = 1,

    /// <summary>A QoS 2 message is taken over with PUBCOMP, not with PUBREC, as the specification allows.</summary>
    TakesOverWithPubComp = 2,

    /// <summary>A client's Receive Maximum is not always kept, and messages overtake those that wait for it.</summary>
    ReceiveMaximum = 4,

    /// <summary>A crash loses sessions since a connect with Clean Start, and that PUBREC has come.</summary>
    ForgetsInCrash = 8,

    /// <summary>A subscription with QoS 0 can keep a message from another subscription of the same client while it is offline.</summary>
    OverlappingQoS0 = 16,

    /// <summary>Wills are not published when the server ends.</summary>
    NoWillsAfterCrash = 32,
}
