namespace OrleansMqtt.Edge.Authentication;

/// <summary>The server's answer to a piece of a client's authentication.</summary>
public sealed class AuthenticationStep
{
    private AuthenticationStep(AuthenticationOutcome outcome, ReadOnlyMemory<byte> data, string? identity, string? reason)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, ushort.MaxValue, nameof(data));
        (Outcome, Data, Identity, Reason) = (outcome, data, identity, reason);
    }

    /// <summary>How it goes on.</summary>
    public AuthenticationOutcome Outcome { get; }

    /// <summary>Authentication Data for the client, at most 65,535 bytes; none when it is empty.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Who the client is, after success.</summary>
    public string? Identity { get; }

    /// <summary>Why it is refused, for the server's log and for the client: nothing that tells whether there is such a user.</summary>
    public string? Reason { get; }

    /// <summary>Asks the client for its next piece (AUTH 0x18).</summary>
    public static AuthenticationStep Continue(ReadOnlyMemory<byte> data) => new(AuthenticationOutcome.Continues, data, null, null);

    /// <summary>Accepts the client; the data, if any, goes with CONNACK, or AUTH 0x00.</summary>
    public static AuthenticationStep Succeed(string identity, ReadOnlyMemory<byte> data = default) => new(AuthenticationOutcome.Succeeded, data, identity, null);

    /// <summary>Refuses the client: CONNACK 0x87, or DISCONNECT 0x87.</summary>
    public static AuthenticationStep Fail(string reason) => new(AuthenticationOutcome.Failed, default, null, reason);
}
