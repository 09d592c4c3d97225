using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace OrleansMqtt.Log.Embedded;

/// <summary>
/// The bytes of a stored batch: a version byte, then per record its time (int64, little endian), key, value and headers. Lengths are unsigned LEB128;
/// those of what may be null are one more than the length, 0 being null. Offsets follow from the row.
/// </summary>
internal static class RecordBatchCodec
{
    private const byte Version = 1;

    // Header names repeat: the few that a server uses are kept as strings, bounded because user properties become names too.
    private const int MaximumKnownNames = 256;
    private static readonly ConcurrentDictionary<string, string> KnownNames = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> KnownNamesBySpan = KnownNames.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The bytes that a record takes; throws for one that cannot be written.</summary>
    public static int SizeOf(in LogRecord record)
    {
        var size = 8 + OptionalSize(record.Key.Length) + (record.Value is { } value ? OptionalSize(value.Length) : 1);
        var headers = record.Headers ?? [];
        size += VarintSize((uint)headers.Length);
        foreach (var header in headers)
        {
            var nameLength = Encoding.UTF8.GetByteCount(header.Name);
            size += VarintSize((uint)nameLength) + nameLength + (header.Value is { } bytes ? OptionalSize(bytes.Length) : 1);
        }

        return size;
    }

    public static int WriteVersion(Span<byte> destination)
    {
        destination[0] = Version;
        return 1;
    }

    /// <summary>Writes a record and returns the number of bytes written.</summary>
    public static int Write(in LogRecord record, long timestamp, Span<byte> destination)
    {
        var position = 8;
        BinaryPrimitives.WriteInt64LittleEndian(destination, timestamp);
        WriteOptional(destination, ref position, record.Key);
        WriteOptional(destination, ref position, record.Value);
        var headers = record.Headers ?? [];
        WriteVarint(destination, ref position, (uint)headers.Length);
        foreach (var header in headers)
        {
            WriteVarint(destination, ref position, (uint)Encoding.UTF8.GetByteCount(header.Name));
            position += Encoding.UTF8.GetBytes(header.Name, destination[position..]);
            WriteOptional(destination, ref position, header.Value);
        }

        return position;
    }

    public static StoredRecord[] Decode(long from, int count, byte[] bytes)
    {
        if (bytes.Length == 0 || bytes[0] != Version)
        {
            throw new InvalidDataException($"The batch at offset {from} has an unknown format.");
        }

        var records = new StoredRecord[count];
        var position = 1;
        for (var i = 0; i < count; i++)
        {
            var timestamp = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(position));
            position += 8;
            var key = ReadOptional(bytes, ref position);
            var value = ReadOptional(bytes, ref position);
            records[i] = new StoredRecord
            {
                Offset = from + i,
                TimestampMilliseconds = timestamp,
                Key = key,
                Value = value,
                Headers = ReadHeaders(bytes, ref position),
            };
        }

        return records;
    }

    private static LogHeader[] ReadHeaders(byte[] bytes, ref int position)
    {
        var count = (int)ReadVarint(bytes, ref position);
        if (count == 0)
        {
            return [];
        }

        var headers = new LogHeader[count];
        for (var i = 0; i < count; i++)
        {
            var length = (int)ReadVarint(bytes, ref position);
            var name = ReadName(bytes.AsSpan(position, length));
            position += length;
            headers[i] = new LogHeader(name, ReadOptional(bytes, ref position));
        }

        return headers;
    }

    private static string ReadName(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > 64)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        Span<char> characters = stackalloc char[64];
        var name = characters[..Encoding.UTF8.GetChars(utf8, characters)];
        if (KnownNamesBySpan.TryGetValue(name, out var known))
        {
            return known;
        }

        known = name.ToString();
        if (KnownNames.Count < MaximumKnownNames)
        {
            KnownNames.TryAdd(known, known);
        }

        return known;
    }

    private static int OptionalSize(int length) => VarintSize((uint)length + 1) + length;

    private static int VarintSize(uint value) => value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

    private static void WriteOptional(Span<byte> destination, ref int position, ReadOnlyMemory<byte>? value)
    {
        if (value is not { } bytes)
        {
            destination[position++] = 0;
            return;
        }

        WriteVarint(destination, ref position, (uint)bytes.Length + 1);
        bytes.Span.CopyTo(destination[position..]);
        position += bytes.Length;
    }

    private static ReadOnlyMemory<byte>? ReadOptional(byte[] bytes, ref int position)
    {
        var length = (int)ReadVarint(bytes, ref position) - 1;
        if (length < 0)
        {
            return null;
        }

        var value = bytes.AsMemory(position, length);
        position += length;
        return value;
    }

    private static void WriteVarint(Span<byte> destination, ref int position, uint value)
    {
        while (value >= 0x80)
        {
            destination[position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[position++] = (byte)value;
    }

    private static uint ReadVarint(byte[] bytes, ref int position)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var current = bytes[position++];
            value |= (uint)(current & 0x7f) << shift;
            if (current < 0x80)
            {
                return value;
            }
        }
    }
}
