using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>Tells which silo owns the session of a client, as placement decides it.</summary>
public interface IClientOwners
{
    /// <summary>The owner; null while there is none.</summary>
    SiloAddress? GetOwner(string clientId);
}
