namespace OrleansMqtt.Edge.Redirecting;

/// <summary>The other edges of the cluster, as far as clients can be sent there.</summary>
internal interface IEdgeDirectory
{
    /// <summary>Whether there are other silos, which may take over what is here.</summary>
    bool HasOthers { get; }

    /// <summary>The address of the edge in the process that owns the client's session; null when that is this one, or its edge takes no clients.</summary>
    string? FindOwner(string clientId);

    /// <summary>The address of another edge that takes clients, each time the next; null when there is none.</summary>
    string? FindOther();

    /// <summary>Tells the other edges whether this one has as many connections as it should: they send it no clients then.</summary>
    void SetFull(bool isFull);

    /// <summary>Tells the other edges where this one takes clients, from now on.</summary>
    Task OpenAsync();

    /// <summary>Tells the other edges that this one stops; returns when they know, or after a moment.</summary>
    Task LeaveAsync();
}
