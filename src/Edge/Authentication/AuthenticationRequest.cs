using System.Net;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>Who wants to be authenticated.</summary>
public sealed record AuthenticationRequest
{
    /// <summary>The client identifier, which is the server's own choice when the client brought none.</summary>
    public required string ClientId { get; init; }

    /// <summary>The user name of CONNECT, unchecked; null when there is none.</summary>
    public string? UserName { get; init; }

    /// <summary>Where the client comes from, if that is known.</summary>
    public EndPoint? RemoteEndPoint { get; init; }

    /// <summary>Who the client has shown to be, when it authenticates again; null at its CONNECT. The connection ends if it shows to be another now.</summary>
    public string? Identity { get; init; }
}
