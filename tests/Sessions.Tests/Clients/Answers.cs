namespace OrleansMqtt.Sessions.Tests.Clients;

/// <summary>What a client owes the server for a packet of its.</summary>
[Flags]
internal enum Answers
{
    None = 0,

    /// <summary>PUBACK: for a received PUBLISH of QoS 1.</summary>
    PubAck = 1,

    /// <summary>PUBREC: for a received PUBLISH of QoS 2.</summary>
    PubRec = 2,

    /// <summary>PUBREL: for the PUBREC of an own PUBLISH.</summary>
    PubRel = 4,

    /// <summary>PUBCOMP: for a received PUBREL.</summary>
    PubComp = 8,

    All = PubAck | PubRec | PubRel | PubComp,
}
