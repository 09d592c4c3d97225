using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>The few header names that come with each record, as one string each. For one thread.</summary>
internal sealed class HeaderNameCache
{
    private const int Places = 256;
    private const int LongestKept = 64;
    private readonly (byte[] Utf8, string Name)[] _names = new (byte[], string)[Places];

    public string NameOf(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length is 0 or > LongestKept)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        var end = utf8.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(utf8[^sizeof(uint)..]) : utf8[^1];
        var hash = (end ^ ((uint)utf8.Length << 16)) * 0x9E3779B1;
        ref var place = ref _names[hash >> 24];
        if (place.Utf8 is null || !utf8.SequenceEqual(place.Utf8))
        {
            place = (utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        }

        return place.Name;
    }
}
