using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>
/// What is kept of a password: it checks the password, and a SCRAM-SHA-256 proof of it, and reveals neither. As text
/// <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>, the bytes in Base64.
/// </summary>
public sealed class PasswordVerifier
{
    /// <summary>The least that RFC 7677 allows.</summary>
    public const int LeastIterations = 4096;

    /// <summary>More would let each login take seconds.</summary>
    public const int MostIterations = 10_000_000;

    private const string Prefix = "SCRAM-SHA-256$";
    private const int SaltLength = 16;

    internal PasswordVerifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) => (Iterations, Salt, StoredKey, ServerKey) = (iterations, salt, storedKey, serverKey);

    internal int Iterations { get; }

    internal byte[] Salt { get; }

    internal byte[] StoredKey { get; }

    internal byte[] ServerKey { get; }

    /// <summary>Makes one with a new salt.</summary>
    public static PasswordVerifier Create(string password, int iterations) => Create(Encoding.UTF8.GetBytes(password), RandomNumberGenerator.GetBytes(SaltLength), iterations);

    /// <summary>Null when the text is not valid.</summary>
    public static PasswordVerifier? TryParse(string text)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length..].Split(':', '$') is not [var iterationText, var saltText, var storedText, var serverText]
            || !int.TryParse(iterationText, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < LeastIterations or > MostIterations)
        {
            return null;
        }

        return Decode(saltText) is { Length: > 0 } salt && Decode(storedText) is { Length: SHA256.HashSizeInBytes } storedKey && Decode(serverText) is { Length: SHA256.HashSizeInBytes } serverKey
            ? new(iterations, salt, storedKey, serverKey)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Prefix}{Iterations}:{Convert.ToBase64String(Salt)}${Convert.ToBase64String(StoredKey)}:{Convert.ToBase64String(ServerKey)}");

    internal static PasswordVerifier Create(ReadOnlySpan<byte> password, byte[] salt, int iterations)
    {
        var salted = ScramKeys.SaltPassword(HashAlgorithmName.SHA256, password, salt, iterations);
        var storedKey = ScramKeys.StoredKey(HashAlgorithmName.SHA256, ScramKeys.ClientKey(HashAlgorithmName.SHA256, salted));
        return new(iterations, salt, storedKey, ScramKeys.ServerKey(HashAlgorithmName.SHA256, salted));
    }

    /// <summary>Takes as long as the iterations say, whatever the password is.</summary>
    internal bool Verify(ReadOnlySpan<byte> password)
    {
        var salted = ScramKeys.SaltPassword(HashAlgorithmName.SHA256, password, Salt, Iterations);
        return CryptographicOperations.FixedTimeEquals(ScramKeys.StoredKey(HashAlgorithmName.SHA256, ScramKeys.ClientKey(HashAlgorithmName.SHA256, salted)), StoredKey);
    }

    private static byte[]? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
