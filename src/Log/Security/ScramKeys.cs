using System.Security.Cryptography;

namespace OrleansMqtt.Log;

/// <summary>What both sides of SCRAM compute (RFC 5802, 3).</summary>
public static class ScramKeys
{
    /// <summary>SaltedPassword, which takes as long as the iterations say.</summary>
    public static byte[] SaltPassword(HashAlgorithmName hash, ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations)
        => Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, hash, hash == HashAlgorithmName.SHA512 ? SHA512.HashSizeInBytes : SHA256.HashSizeInBytes);

    /// <summary>ClientKey.</summary>
    public static byte[] ClientKey(HashAlgorithmName hash, byte[] saltedPassword) => CryptographicOperations.HmacData(hash, saltedPassword, "Client Key"u8.ToArray());

    /// <summary>StoredKey: what the server keeps to check the client.</summary>
    public static byte[] StoredKey(HashAlgorithmName hash, byte[] clientKey) => CryptographicOperations.HashData(hash, clientKey);

    /// <summary>ServerKey: what the server keeps to prove itself.</summary>
    public static byte[] ServerKey(HashAlgorithmName hash, byte[] saltedPassword) => CryptographicOperations.HmacData(hash, saltedPassword, "Server Key"u8.ToArray());

    /// <summary>ClientSignature or ServerSignature.</summary>
    public static byte[] Sign(HashAlgorithmName hash, byte[] key, byte[] authMessage) => CryptographicOperations.HmacData(hash, key, authMessage);

    /// <summary>ClientProof from ClientKey and ClientSignature, or ClientKey from ClientProof and ClientSignature.</summary>
    public static byte[] Combine(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var combined = left.ToArray();
        for (var i = 0; i < combined.Length; i++)
        {
            combined[i] ^= right[i];
        }

        return combined;
    }
}
