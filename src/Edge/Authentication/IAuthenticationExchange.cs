namespace OrleansMqtt.Edge.Authentication;

/// <summary>One authentication of one client, step by step.</summary>
public interface IAuthenticationExchange
{
    /// <summary>
    /// Takes the client's next piece and says how it goes on. Called for the first time with the data of CONNECT (or of the AUTH that asks to authenticate again), then with
    /// that of each AUTH; never twice at a time. An exception closes the connection.
    /// </summary>
    /// <param name="data">Authentication Data; empty when the packet has none. It may be kept.</param>
    /// <param name="cancellationToken">Cancelled when the connection ends, or the time for the exchange is over.</param>
    ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);
}
