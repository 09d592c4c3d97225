namespace OrleansMqtt.Edge.Authentication;

/// <summary>
/// A method of enhanced authentication (MQTT 5, 4.12). Registered as a singleton of this type; a client chooses it by the Authentication Method of its CONNECT.
/// </summary>
public interface IEnhancedAuthenticator
{
    /// <summary>The Authentication Method, compared character by character; one of the same name as a built-in method takes its place.</summary>
    string Method { get; }

    /// <summary>Begins to authenticate a client: at its CONNECT, and when it asks to be authenticated again. Called by many connections at a time.</summary>
    IAuthenticationExchange Begin(AuthenticationRequest request);
}
