namespace OrleansMqtt.Grains;

/// <summary>A lease of QoS 2 as it is stored: nobody but its member may have the message.</summary>
/// <param name="Number">The lease.</param>
/// <param name="ClientId">The member.</param>
/// <param name="Member">The number of its membership.</param>
/// <param name="Message">The message.</param>
internal readonly record struct StoredLease(long Number, string ClientId, long Member, StoredReference Message);
