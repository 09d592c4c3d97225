namespace OrleansMqtt.Edge.Protocol;

/// <summary>Writes a Variable Byte Integer (MQTT 5, 1.5.5).</summary>
internal static class VariableInteger
{
    public static int GetLength(int value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

    /// <summary>Returns the number of bytes written.</summary>
    public static int Write(Span<byte> target, int value)
    {
        var length = 0;
        while (value >= 128)
        {
            target[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[length++] = (byte)value;
        return length;
    }
}
