using System.IO.Hashing;
using System.Text;
using System.Text.Unicode;

namespace OrleansMqtt.Grains;

/// <summary>
/// Turns UTF-8 bytes into strings, and keeps the last one per hash slot, so that a topic that comes again costs no new string. Bounded: strings longer than
/// <see cref="MaximumCachedBytes"/> are not kept. One user at a time.
/// </summary>
internal sealed class Utf8StringCache(int slots = 1024)
{
    private const int MaximumCachedBytes = 256;
    private readonly Entry[] _entries = new Entry[slots];

    /// <summary>The string; null when the bytes are not UTF-8 that MQTT allows ([MQTT-1.5.4-1], [MQTT-1.5.4-2]).</summary>
    public string? Get(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumCachedBytes)
        {
            return Decode(bytes);
        }

        ref var entry = ref _entries[(uint)XxHash3.HashToUInt64(bytes) % (uint)_entries.Length];
        if (entry.Bytes is not null && bytes.SequenceEqual(entry.Bytes))
        {
            return entry.Text;
        }

        entry = new(bytes.ToArray(), Decode(bytes));
        return entry.Text;
    }

    /// <summary>The string, not cached; null when the bytes are not UTF-8 that MQTT allows.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= ushort.MaxValue && Utf8.IsValid(bytes) && !bytes.Contains((byte)0) ? Encoding.UTF8.GetString(bytes) : null;

    private readonly record struct Entry(byte[] Bytes, string? Text);
}
