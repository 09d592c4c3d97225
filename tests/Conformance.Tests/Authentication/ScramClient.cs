using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OrleansMqtt.Conformance.Tests.Authentication;

/// <summary>The client's side of SCRAM-SHA-256 (RFC 7677).</summary>
internal sealed class ScramClient(string user, string password)
{
    private readonly string _bare = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={Guid.NewGuid():N}";
    private byte[] _serverKey = [];
    private byte[] _message = [];

    public string First => "n,," + _bare;

    public string Finish(string challenge)
    {
        var parts = challenge.Split(',');
        Assert.StartsWith(_bare[_bare.IndexOf(",r=", StringComparison.Ordinal)..][1..], parts[0], StringComparison.Ordinal);
        var (salt, iterations) = (Convert.FromBase64String(parts[1][2..]), int.Parse(parts[2][2..], CultureInfo.InvariantCulture));
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        _serverKey = HMACSHA256.HashData(salted, "Server Key"u8);
        var final = $"c=biws,{parts[0]}";
        _message = Encoding.UTF8.GetBytes($"{_bare},{challenge},{final}");
        var signature = HMACSHA256.HashData(SHA256.HashData(clientKey), _message);
        return $"{final},p={Convert.ToBase64String([.. clientKey.Zip(signature, (left, right) => (byte)(left ^ right))])}";
    }

    /// <summary>What the server has to prove itself with.</summary>
    public string ServerFinal() => $"v={Convert.ToBase64String(HMACSHA256.HashData(_serverKey, _message))}";
}
