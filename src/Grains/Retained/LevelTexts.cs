namespace OrleansMqtt.Grains;

/// <summary>The texts of topic levels, in large arrays and multiples of eight bytes; what is given back is used again for texts of that size.</summary>
internal sealed class LevelTexts
{
    private const int Unit = 8;
    private const int ChunkBits = 14;
    private const int ChunkUnits = 1 << ChunkBits;
    private readonly List<byte[]> _chunks = [];

    // By size in units: a free place plus one, and in its first bytes the next.
    private int[] _free = new int[16];
    private int _end;

    /// <summary>Stores a text and returns its place.</summary>
    public int Add(ReadOnlySpan<byte> text)
    {
        var units = UnitsOf(text.Length);
        if (units == 0)
        {
            return 0;
        }

        var place = Take(units);
        text.CopyTo(At(place, text.Length));
        return place;
    }

    public ReadOnlySpan<byte> Get(int place, int length) => length == 0 ? [] : At(place, length);

    public void Remove(int place, int length)
    {
        var units = UnitsOf(length);
        if (units == 0)
        {
            return;
        }

        if (units >= _free.Length)
        {
            Array.Resize(ref _free, Math.Max(units + 1, _free.Length * 2));
        }

        BitConverter.TryWriteBytes(At(place, Unit), _free[units]);
        _free[units] = place + 1;
    }

    private static int UnitsOf(int length) => (length + Unit - 1) / Unit;

    private int Take(int units)
    {
        if (units < _free.Length && _free[units] > 0)
        {
            var place = _free[units] - 1;
            _free[units] = BitConverter.ToInt32(At(place, Unit));
            return place;
        }

        // A text does not go over the end of an array; the longest level is half of one.
        if (_chunks.Count == 0 || (_end & (ChunkUnits - 1)) + units > ChunkUnits || (_end & (ChunkUnits - 1)) == 0)
        {
            _end = _chunks.Count << ChunkBits;
            _chunks.Add(new byte[ChunkUnits * Unit]);
        }

        _end += units;
        return _end - units;
    }

    private Span<byte> At(int place, int length) => _chunks[place >> ChunkBits].AsSpan((place & (ChunkUnits - 1)) * Unit, length);
}
