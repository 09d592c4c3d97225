using System.Collections.Frozen;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>Decides who may connect: by user name and password, or by a method of enhanced authentication.</summary>
internal sealed class ConnectAuthentication
{
    private readonly UserDirectory _users;
    private readonly bool _allowAnonymous;
    private readonly FrozenDictionary<string, IEnhancedAuthenticator> _methods;

    public ConnectAuthentication(AuthenticationOptions options, IEnumerable<IEnhancedAuthenticator> authenticators)
    {
        _users = new UserDirectory(options.Users);
        _allowAnonymous = options.AllowAnonymous;
        var methods = new Dictionary<string, IEnhancedAuthenticator>(StringComparer.Ordinal);
        if (!_users.IsEmpty)
        {
            methods[ScramAuthenticator.MethodName] = new ScramAuthenticator(_users);
        }

        foreach (var authenticator in authenticators)
        {
            methods[authenticator.Method] = authenticator;
        }

        _methods = methods.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Checks a CONNECT without an authentication method.</summary>
    /// <exception cref="MqttProtocolException">The client is refused.</exception>
    public void Check(string? userName, byte[]? password)
    {
        if (_users.IsEmpty && _allowAnonymous)
        {
            return;
        }

        if (userName is null && password is null)
        {
            if (!_allowAnonymous)
            {
                throw new MqttProtocolException(ReasonCode.NotAuthorized, "Clients without a user name are not allowed.");
            }

            return;
        }

        if (userName is null || !_users.Verify(userName, password))
        {
            throw new MqttProtocolException(ReasonCode.BadUserNameOrPassword, "The user name or password is not right.");
        }
    }

    /// <summary>Begins the authentication that a CONNECT asks for.</summary>
    /// <exception cref="MqttProtocolException">There is no such method.</exception>
    public ClientAuthentication Begin(string method, AuthenticationRequest request, MqttConnection connection, EdgeContext context)
        => _methods.TryGetValue(method, out var authenticator)
            ? new ClientAuthentication(authenticator, request, connection, context)
            : throw new MqttProtocolException(ReasonCode.BadAuthenticationMethod, "There is no such authentication method.");
}
