namespace OrleansMqtt.Edge.Authentication;

/// <summary>How an authentication goes on.</summary>
public enum AuthenticationOutcome
{
    /// <summary>The client is to answer.</summary>
    Continues,

    /// <summary>The client is who it says.</summary>
    Succeeded,

    /// <summary>The client is refused.</summary>
    Failed,
}
