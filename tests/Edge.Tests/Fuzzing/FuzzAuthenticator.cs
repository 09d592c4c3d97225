using OrleansMqtt.Edge.Authentication;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Asks once, and accepts whatever it is answered.</summary>
internal sealed class FuzzAuthenticator : IEnhancedAuthenticator
{
    public const string MethodName = "m";

    public string Method => MethodName;

    public IAuthenticationExchange Begin(AuthenticationRequest request) => new Exchange();

    private sealed class Exchange : IAuthenticationExchange
    {
        private bool _hasAsked;

        public ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            if (_hasAsked)
            {
                return new(AuthenticationStep.Succeed("identity"));
            }

            _hasAsked = true;
            return new(AuthenticationStep.Continue(data));
        }
    }
}
