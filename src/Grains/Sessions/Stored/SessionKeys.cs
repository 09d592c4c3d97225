using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Grains;

/// <summary>
/// The keys of the sessions topic. A client identifier is the key of its session; what belongs to it has the identifier, U+0000 (which no identifier holds) and a suffix. The
/// identifier decides the partition of them all.
/// </summary>
internal static class SessionKeys
{
    private const int CopyLength = 7;

    /// <summary>How far the partition is: its positions and its generation.</summary>
    public static byte[] Positions { get; } = [0, (byte)'p'];

    public static byte[] Session(string clientId) => Encoding.UTF8.GetBytes(clientId);

    /// <summary>What is in flight, and how far its mailbox is.</summary>
    public static byte[] Delivery(string clientId) => WithSuffix(clientId, "d"u8);

    /// <summary>Whether the client is connected, for whoever follows the topic.</summary>
    public static byte[] Presence(string clientId) => WithSuffix(clientId, "c"u8);

    /// <summary>Its memberships in groups of shared subscriptions.</summary>
    public static byte[] Memberships(string clientId) => WithSuffix(clientId, "s"u8);

    /// <summary>The group of a shared subscription; its name can't be a client identifier.</summary>
    public static byte[] Group(string name) => WithSuffix(name, "g"u8);

    /// <summary>A segment of the mailbox.</summary>
    public static byte[] Segment(string clientId, long number)
    {
        Span<byte> suffix = stackalloc byte[9];
        suffix[0] = (byte)'m';
        BinaryPrimitives.WriteInt64BigEndian(suffix[1..], number);
        return WithSuffix(clientId, suffix);
    }

    /// <summary>A part of a retained message that is in flight.</summary>
    public static byte[] Copy(string clientId, ushort packetId, int part)
    {
        Span<byte> suffix = stackalloc byte[CopyLength];
        suffix[0] = (byte)'r';
        BinaryPrimitives.WriteUInt16BigEndian(suffix[1..], packetId);
        BinaryPrimitives.WriteInt32BigEndian(suffix[3..], part);
        return WithSuffix(clientId, suffix);
    }

    /// <summary>Takes a key apart; the suffix is empty for a session.</summary>
    public static (string ClientId, ReadOnlyMemory<byte> Suffix) Split(ReadOnlyMemory<byte> key)
    {
        var end = key.Span.IndexOf((byte)0);
        return end < 0 ? (Encoding.UTF8.GetString(key.Span), default) : (Encoding.UTF8.GetString(key.Span[..end]), key[(end + 1)..]);
    }

    /// <summary>A key for people to read.</summary>
    public static string Describe(ReadOnlyMemory<byte> key)
    {
        var (clientId, suffix) = Split(key);
        return key.Span.Contains((byte)0) ? $"'{clientId}', 0, 0x{Convert.ToHexString(suffix.Span)}" : $"'{clientId}'";
    }

    public static long SegmentNumberOf(ReadOnlySpan<byte> suffix) => BinaryPrimitives.ReadInt64BigEndian(suffix[1..]);

    public static (ushort PacketId, int Part) CopyOf(ReadOnlySpan<byte> suffix) =>
        (BinaryPrimitives.ReadUInt16BigEndian(suffix[1..]), BinaryPrimitives.ReadInt32BigEndian(suffix[3..]));

    private static byte[] WithSuffix(string clientId, ReadOnlySpan<byte> suffix)
    {
        var length = Encoding.UTF8.GetByteCount(clientId);
        var key = new byte[length + 1 + suffix.Length];
        Encoding.UTF8.GetBytes(clientId, key);
        suffix.CopyTo(key.AsSpan(length + 1));
        return key;
    }
}
