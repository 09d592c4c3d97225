using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using OrleansMqtt.Edge.Configuration;

namespace OrleansMqtt.Edge.Authentication;

/// <summary>
/// The configured users. A name that is not among them is treated as one that is, with a salt and keys made of it, so that neither an answer nor its time tells them apart.
/// </summary>
internal sealed class UserDirectory
{
    private readonly FrozenDictionary<string, User> _users;
    private readonly byte[] _cacheKey = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
    private readonly byte[] _unknownKey;
    private readonly int _unknownIterations;

    public UserDirectory(IList<UserOptions> users)
    {
        _users = users.ToFrozenDictionary(static user => user.Name, static user => new User(PasswordVerifier.TryParse(user.Password)!), StringComparer.Ordinal);

        // The same on every edge and after a restart, and known to none who does not know the users' keys: a salt that changes would tell that there is no such user.
        _unknownKey = SHA256.HashData([.. _users.Values.OrderBy(static user => Convert.ToHexString(user.Verifier.ServerKey)).SelectMany(static user => user.Verifier.ServerKey)]);
        _unknownIterations = users.Count == 0 ? PasswordVerifier.LeastIterations : PasswordVerifier.TryParse(users[0].Password)!.Iterations;
    }

    public bool IsEmpty => _users.Count == 0;

    public PasswordVerifier Find(string name, out bool isKnown)
    {
        isKnown = _users.TryGetValue(name, out var user);
        return user?.Verifier ?? MakeUp(name);
    }

    public bool Verify(string name, ReadOnlySpan<byte> password)
    {
        if (!_users.TryGetValue(name, out var user))
        {
            MakeUp(name).Verify(password);
            return false;
        }

        // A password that was right once costs no iterations again: all devices may come back at the same time.
        var mark = HMACSHA256.HashData(_cacheKey, password);
        if (user.RightPassword is { } right && CryptographicOperations.FixedTimeEquals(mark, right))
        {
            return true;
        }

        if (!user.Verifier.Verify(password))
        {
            return false;
        }

        user.RightPassword = mark;
        return true;
    }

    private PasswordVerifier MakeUp(string name)
    {
        var made = HMACSHA256.HashData(_unknownKey, Encoding.UTF8.GetBytes(name));
        return new PasswordVerifier(_unknownIterations, made[..16], SHA256.HashData(made), SHA256.HashData(made[16..]));
    }

    private sealed class User(PasswordVerifier verifier)
    {
        public PasswordVerifier Verifier => verifier;

        /// <summary>Of the password that was right, by a key of this process; null before.</summary>
        public byte[]? RightPassword { get; set; }
    }
}
