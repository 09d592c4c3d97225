namespace OrleansMqtt.Edge.Configuration;

/// <summary>Who may connect (section <c>Mqtt:Authentication</c>).</summary>
public sealed class AuthenticationOptions
{
    /// <summary>Whether clients without a user name, and without an authentication method, may connect. Without users, clients with any user name may then too.</summary>
    public bool AllowAnonymous { get; set; } = true;

    /// <summary>The users, for user name and password and for SCRAM-SHA-256.</summary>
    public IList<UserOptions> Users { get; } = [];
}
