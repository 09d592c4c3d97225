using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>The server's side of SCRAM-SHA-256 (RFC 5802) without channel binding: two messages of the client, and two answers.</summary>
internal sealed class ScramExchange(UserDirectory users, string nonce) : IAuthenticationExchange
{
    private const string Refusal = "The authentication failed.";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private PasswordVerifier? _verifier;
    private bool _isKnown;
    private string _name = "";
    private string _header = "";
    private string _nonce = "";
    private string _messages = "";

    public ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        string message;
        try
        {
            message = Strict.GetString(data.Span);
        }
        catch (DecoderFallbackException)
        {
            return new(Malformed());
        }

        return new(_verifier is null ? Begin(message) : Finish(message));
    }

    /// <summary>client-first-message: <c>n,,n=user,r=nonce</c>.</summary>
    private AuthenticationStep Begin(string message)
    {
        // With "y" the client could bind to the channel, but thinks that the server cannot, which is so. A third part would be another name to act under.
        if (message.Split(',') is not [("n" or "y") and var binding, "", var name, var clientNonce, ..])
        {
            return Malformed();
        }

        if (!name.StartsWith("n=", StringComparison.Ordinal) || !clientNonce.StartsWith("r=", StringComparison.Ordinal) || clientNonce.Length == 2 || ReadName(name[2..]) is not { Length: > 0 } user)
        {
            return Malformed();
        }

        _verifier = users.Find(user, out _isKnown);
        (_name, _header, _nonce) = (user, $"{binding},,", clientNonce[2..] + nonce);
        var answer = string.Create(CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(_verifier.Salt)},i={_verifier.Iterations}");
        _messages = $"{message[_header.Length..]},{answer}";
        return AuthenticationStep.Continue(Encoding.UTF8.GetBytes(answer));
    }

    /// <summary>client-final-message: <c>c=biws,r=nonce,p=proof</c>.</summary>
    private AuthenticationStep Finish(string message)
    {
        var end = message.LastIndexOf(",p=", StringComparison.Ordinal);
        if (end < 0 || message[..end].Split(',') is not [var binding, var fullNonce, ..])
        {
            return Malformed();
        }

        var proof = new byte[message.Length];
        if (!Convert.TryFromBase64String(message[(end + 3)..], proof, out var length) || length != SHA256.HashSizeInBytes
            || binding != $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(_header))}" || fullNonce != $"r={_nonce}")
        {
            return Malformed();
        }

        var authMessage = Encoding.UTF8.GetBytes($"{_messages},{message[..end]}");
        var clientKey = ScramKeys.Combine(proof.AsSpan(0, length), ScramKeys.Sign(HashAlgorithmName.SHA256, _verifier!.StoredKey, authMessage));
        if (!CryptographicOperations.FixedTimeEquals(ScramKeys.StoredKey(HashAlgorithmName.SHA256, clientKey), _verifier.StoredKey) || !_isKnown)
        {
            return AuthenticationStep.Fail(Refusal);
        }

        var signature = ScramKeys.Sign(HashAlgorithmName.SHA256, _verifier.ServerKey, authMessage);
        return AuthenticationStep.Succeed(_name, Encoding.UTF8.GetBytes($"v={Convert.ToBase64String(signature)}"));
    }

    /// <summary>A user name, in which a comma is written <c>=2C</c> and an equals sign <c>=3D</c>; null when it holds another escape.</summary>
    private static string? ReadName(string text)
    {
        var name = text.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "", StringComparison.Ordinal);
        return name.Contains('=', StringComparison.Ordinal)
            ? null
            : text.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
    }

    private static AuthenticationStep Malformed() => AuthenticationStep.Fail("The Authentication Data is no message of SCRAM-SHA-256 without channel binding.");
}
