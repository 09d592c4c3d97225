namespace OrleansMqtt.Edge.Redirecting;

/// <summary>The other edges of the cluster, as far as clients can be sent there.</summary>
internal interface IEdgeDirectory
{
    /// <summary>Whether there are other silos, which may take over what is here.</summary>
    bool HasOthers { get; }

    /// <summary>The address of the edge in the process that owns the client's session; null when that is this one, or it has no edge.</summary>
    string? FindOwner(string clientId);

    /// <summary>The address of another edge, each time the next; null when there is none.</summary>
    string? FindOther();
}
