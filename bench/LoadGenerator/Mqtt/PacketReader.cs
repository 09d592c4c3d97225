using System.Buffers.Binary;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>Splits received bytes into MQTT control packets without copying.</summary>
internal static class PacketReader
{
    /// <summary>Takes the next whole packet off <paramref name="data"/>; false when it has not arrived completely.</summary>
    /// <exception cref="LoadException">The remaining length is malformed.</exception>
    public static bool TryRead(ref ReadOnlySpan<byte> data, out byte first, out ReadOnlySpan<byte> body)
    {
        first = 0;
        body = default;
        if (data.Length < 2)
        {
            return false;
        }

        if (!TryReadVariable(data[1..], out int length, out int lengthBytes))
        {
            return false;
        }

        int start = 1 + lengthBytes;
        if (data.Length - start < length)
        {
            return false;
        }

        first = data[0];
        body = data.Slice(start, length);
        data = data[(start + length)..];
        return true;
    }

    /// <summary>Reads a variable byte integer; false when more bytes are needed.</summary>
    public static bool TryReadVariable(ReadOnlySpan<byte> data, out int value, out int bytes)
    {
        value = 0;
        for (bytes = 0; bytes < data.Length; bytes++)
        {
            if (bytes == 4)
            {
                throw new LoadException("the server sent a malformed packet (variable byte integer of more than four bytes)");
            }

            value |= (data[bytes] & 0x7F) << (7 * bytes);
            if ((data[bytes] & 0x80) == 0)
            {
                bytes++;
                return true;
            }
        }

        return bytes < 4 ? false : throw new LoadException("the server sent a malformed packet (variable byte integer of more than four bytes)");
    }

    /// <summary>The packet identifier and reason code of PUBACK, PUBREC, PUBREL and PUBCOMP; without a reason code it is 0 (success).</summary>
    public static (ushort PacketId, byte Reason) ReadAcknowledgement(ReadOnlySpan<byte> body) => body.Length < 2
        ? throw new LoadException("the server sent an acknowledgement without a packet identifier")
        : (BinaryPrimitives.ReadUInt16BigEndian(body), body.Length > 2 ? body[2] : (byte)0);
}
