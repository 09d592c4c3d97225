namespace OrleansMqtt.Grains;

/// <summary>What can become of a lease.</summary>
internal enum LeaseEndKind : byte
{
    /// <summary>The client has acknowledged the message, or will never get it again: the lease is over.</summary>
    Ended,

    /// <summary>The member's session has a QoS 2 message for good, and answers for it from now on; the lease still takes room of the member.</summary>
    Taken,

    /// <summary>The member can't deliver it: it goes to another one.</summary>
    GivenBack,
}
