using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>The client's side of SCRAM (RFC 5802) without channel binding: three messages, and a proof in both directions.</summary>
internal sealed class ScramClient(HashAlgorithmName hash, string user, string password, string nonce)
{
    private readonly string _firstBare = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={nonce}";
    private byte[] _serverSignature = [];

    public static string CreateNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));

    public byte[] First() => Encoding.UTF8.GetBytes("n,," + _firstBare);

    public byte[] Final(ReadOnlySpan<byte> serverFirst)
    {
        var challenge = Encoding.UTF8.GetString(serverFirst);
        var parts = Parse(challenge);
        if (!parts.TryGetValue('r', out var serverNonce) || !serverNonce.StartsWith(nonce, StringComparison.Ordinal)
            || !parts.TryGetValue('s', out var salt) || !parts.TryGetValue('i', out var iterationText)
            || !int.TryParse(iterationText, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations))
        {
            throw new WireException("The broker's SCRAM challenge is not valid.");
        }

        var withoutProof = $"c=biws,r={serverNonce}";
        var message = Encoding.UTF8.GetBytes($"{_firstBare},{challenge},{withoutProof}");
        var salted = ScramKeys.SaltPassword(hash, Encoding.UTF8.GetBytes(password), Convert.FromBase64String(salt), iterations);
        var clientKey = ScramKeys.ClientKey(hash, salted);
        var proof = ScramKeys.Combine(clientKey, ScramKeys.Sign(hash, ScramKeys.StoredKey(hash, clientKey), message));
        _serverSignature = ScramKeys.Sign(hash, ScramKeys.ServerKey(hash, salted), message);
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    /// <summary>Checks that the broker knows the password too.</summary>
    public void Verify(ReadOnlySpan<byte> serverFinal)
    {
        var parts = Parse(Encoding.UTF8.GetString(serverFinal));
        if (parts.TryGetValue('e', out var error))
        {
            throw new WireException($"The broker refuses the SCRAM login: {error}");
        }

        if (!parts.TryGetValue('v', out var signature) || !CryptographicOperations.FixedTimeEquals(Convert.FromBase64String(signature), _serverSignature))
        {
            throw new WireException("The broker did not prove that it knows the password.");
        }
    }

    private static Dictionary<char, string> Parse(string message) =>
        message.Split(',').Where(part => part.Length > 2 && part[1] == '=').DistinctBy(part => part[0]).ToDictionary(part => part[0], part => part[2..]);
}
