using System.Security.Cryptography;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>SCRAM-SHA-256 (RFC 7677) for the configured users: the password never travels, and the server proves that it knows it too.</summary>
internal sealed class ScramAuthenticator(UserDirectory users) : IEnhancedAuthenticator
{
    public const string MethodName = "SCRAM-SHA-256";

    public string Method => MethodName;

    public IAuthenticationExchange Begin(AuthenticationRequest request) => new ScramExchange(users, Convert.ToBase64String(RandomNumberGenerator.GetBytes(18)));
}
