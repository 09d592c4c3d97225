namespace OrleansMqtt.Edge.Configuration;

/// <summary>A user that may connect.</summary>
public sealed class UserOptions
{
    /// <summary>The user name, compared character by character.</summary>
    public string Name { get; set; } = "";

    /// <summary>What the command <c>hash-password</c> prints: the password cannot be found from it.</summary>
    public string Password { get; set; } = "";
}
