using System.Text;

namespace OrleansMqtt.Grains;

/// <summary>Reads what <see cref="StateWriter"/> wrote.</summary>
/// <exception cref="InvalidDataException">Thrown by all members when the bytes end too early.</exception>
internal ref struct StateReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte ReadByte()
    {
        if (_rest.IsEmpty)
        {
            throw new InvalidDataException("A record of the sessions topic ends too early.");
        }

        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public long ReadNumber() => checked((long)ReadFolded());

    public int ReadCount() => checked((int)ReadNumber());

    /// <summary>The number of elements that follow, each of a byte at least: what is no record must not make room for more than it has.</summary>
    public int ReadLength() => ReadCount() is var length && length <= _rest.Length ? length : throw new InvalidDataException("A record of the sessions topic ends too early.");

    public long ReadDifference()
    {
        var folded = ReadFolded();
        return (long)(folded >> 1) ^ -(long)(folded & 1);
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadCount();
        if (length > _rest.Length)
        {
            throw new InvalidDataException("A record of the sessions topic ends too early.");
        }

        var value = _rest[..length];
        _rest = _rest[length..];
        return value;
    }

    public string ReadText() => Encoding.UTF8.GetString(ReadBytes());

    /// <summary>The version byte that begins each layout.</summary>
    public void ExpectVersion(byte version) => ExpectVersion(version, version);

    /// <returns>The version that is there.</returns>
    public byte ExpectVersion(byte oldest, byte version)
    {
        var found = ReadByte();
        return found >= oldest && found <= version
            ? found
            : throw new InvalidDataException($"A record of the sessions topic has version {found}, and this server knows {version}: it was written by another version.");
    }

    private ulong ReadFolded()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = ReadByte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("A record of the sessions topic has a number of more than 64 bits.");
    }
}
