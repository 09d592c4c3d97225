using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>Tells which partition the session of a client belongs to, and which silo owns it, as placement decides it.</summary>
public interface IClientOwners
{
    /// <summary>The partition of the sessions topic.</summary>
    int PartitionOf(string clientId);

    /// <summary>The owner; null while there is none.</summary>
    SiloAddress? GetOwner(string clientId);
}
