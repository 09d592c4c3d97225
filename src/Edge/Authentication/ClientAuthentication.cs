using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>The enhanced authentication of one connection: the exchange before CONNACK, and those that the client begins later, while other packets go on (MQTT 5, 4.12).</summary>
internal sealed class ClientAuthentication(IEnhancedAuthenticator authenticator, AuthenticationRequest request, MqttConnection connection, EdgeContext context) : IDisposable
{
    private readonly Lock _gate = new();
    private IAuthenticationExchange? _exchange = authenticator.Begin(request);
    private ITimer? _timeout;
    private bool _isClientsTurn;

    public string Method => authenticator.Method;

    /// <summary>Who the client has shown to be; null before that.</summary>
    public string? Identity { get; private set; }

    /// <summary>Takes the next piece of the exchange before CONNACK.</summary>
    public async ValueTask<AuthenticationStep> ContinueAsync(byte[] data)
    {
        var step = await StepAsync(_exchange!, data);
        if (step.Outcome == AuthenticationOutcome.Succeeded)
        {
            (Identity, _exchange) = (step.Identity, null);
        }

        return step;
    }

    /// <summary>Takes an AUTH that came after CONNACK. By the reading loop.</summary>
    /// <exception cref="MqttProtocolException">It is not allowed.</exception>
    public void Take(in AuthPacket packet)
    {
        if (packet.Method != Method)
        {
            // [MQTT-4.12.1-1]
            MqttProtocolException.ThrowProtocolError("AUTH has another method than CONNECT had.");
        }

        IAuthenticationExchange exchange;
        lock (_gate)
        {
            if (packet.ReasonCode == ReasonCode.Reauthenticate ? _exchange is not null : !_isClientsTurn)
            {
                MqttProtocolException.ThrowProtocolError(_exchange is null ? "AUTH continues an authentication, but none is under way." : "It is not the client's turn to send this AUTH.");
            }

            if (_exchange is null)
            {
                _exchange = authenticator.Begin(request with { Identity = Identity });
                _timeout = context.Time.CreateTimer(static connection => ((MqttConnection)connection!).Close(CloseReason.AuthenticationTimeout), connection, context.Options.ConnectTimeout, Timeout.InfiniteTimeSpan);
            }

            _isClientsTurn = false;
            exchange = _exchange;
        }

        _ = ReauthenticateAsync(exchange, packet.Data);
    }

    /// <summary>The connection has ended.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _timeout?.Dispose();
        }
    }

    private async Task ReauthenticateAsync(IAuthenticationExchange exchange, byte[] data)
    {
        try
        {
            var step = await StepAsync(exchange, data);
            if (step.Outcome == AuthenticationOutcome.Failed)
            {
                // [MQTT-4.12.1-2]
                connection.Close(CloseReason.Server(ReasonCode.NotAuthorized, step.Reason!));
                return;
            }

            var succeeds = step.Outcome == AuthenticationOutcome.Succeeded;
            if (succeeds && step.Identity != Identity)
            {
                connection.Close(CloseReason.Server(ReasonCode.NotAuthorized, "The client has authenticated as another than before."));
                return;
            }

            lock (_gate)
            {
                _isClientsTurn = !succeeds;
                if (succeeds)
                {
                    _exchange = null;
                    _timeout?.Dispose();
                }
            }

            connection.Output.Send(PacketWriter.Auth(succeeds ? ReasonCode.Success : ReasonCode.ContinueAuthentication, Method, step.Data.Span));
        }
        catch (OperationCanceledException) when (connection.IsClosing)
        {
            // It is over anyway.
        }
        catch (Exception exception)
        {
            context.Logger.AuthenticationFailed(exception, Method, request.ClientId);
            connection.Close(CloseReason.Server(ReasonCode.UnspecifiedError, "An unexpected error."));
        }
    }

    /// <summary>An exchange that does not heed its token holds the connection no longer than others.</summary>
    private ValueTask<AuthenticationStep> StepAsync(IAuthenticationExchange exchange, byte[] data)
    {
        var step = exchange.ContinueAsync(data, connection.WhenClosing);
        return step.IsCompleted ? step : new(step.AsTask().WaitAsync(connection.WhenClosing));
    }
}
