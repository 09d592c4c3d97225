namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>The zigzag integers of variable length inside record batches.</summary>
internal static class Varint
{
    public static int SizeOf(long value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(Encode(value) | 1)) / 7;

    /// <summary>Writes a value and returns the position after it.</summary>
    public static int Write(Span<byte> target, int position, long value)
    {
        var rest = Encode(value);
        while (rest >= 0x80)
        {
            target[position++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        target[position++] = (byte)rest;
        return position;
    }

    /// <summary>Reads a value and moves the position behind it.</summary>
    public static long Read(ReadOnlySpan<byte> source, ref int position)
    {
        var result = 0UL;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var value = source[position++];
            result |= (ulong)(value & 0x7f) << shift;
            if (value < 0x80)
            {
                return (long)(result >> 1) ^ -(long)(result & 1);
            }
        }

        throw new WireException("A number in a record is longer than 10 bytes.");
    }

    private static ulong Encode(long value) => (ulong)((value << 1) ^ (value >> 63));
}
