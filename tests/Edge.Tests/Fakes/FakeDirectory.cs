using OrleansMqtt.Edge.Redirecting;

namespace OrleansMqtt.Edge.Tests;

internal sealed class FakeDirectory : IEdgeDirectory
{
    /// <summary>The owner's address by client identifier.</summary>
    public Dictionary<string, string> Owners { get; } = [];

    public string? Other { get; set; }

    public bool HasOthers => Other is not null;

    public string? FindOwner(string clientId) => Owners.GetValueOrDefault(clientId);

    public string? FindOther() => Other;
}
