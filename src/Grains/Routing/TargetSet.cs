using System.Numerics;

namespace OrleansMqtt.Grains;

/// <summary>A set of router targets by their index.</summary>
internal sealed class TargetSet
{
    private ulong[] _bits = new ulong[1];

    public bool IsEmpty => !_bits.AsSpan().ContainsAnyExcept(0ul);

    public ReadOnlySpan<ulong> Bits => _bits;

    public void Add(int index)
    {
        if (index / 64 >= _bits.Length)
        {
            Array.Resize(ref _bits, (index / 64) + 1);
        }

        _bits[index / 64] |= 1ul << (index % 64);
    }

    public void Remove(int index)
    {
        if (index / 64 < _bits.Length)
        {
            _bits[index / 64] &= ~(1ul << (index % 64));
        }
    }

    public void Clear() => Array.Clear(_bits);

    public Enumerator GetEnumerator() => new(_bits);

    /// <summary>Goes through the indexes in ascending order.</summary>
    public struct Enumerator(ulong[] bits)
    {
        private int _word;
        private ulong _rest = bits[0];

        public int Current { get; private set; }

        public bool MoveNext()
        {
            while (_rest == 0)
            {
                if (++_word >= bits.Length)
                {
                    return false;
                }

                _rest = bits[_word];
            }

            Current = (_word * 64) + BitOperations.TrailingZeroCount(_rest);
            _rest &= _rest - 1;
            return true;
        }
    }
}
