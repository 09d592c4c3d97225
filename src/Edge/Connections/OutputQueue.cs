namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// Two arrays that take turns: one is filled, under the lock of its owner, while the other is written by one thread without it.
/// </summary>
internal struct OutputQueue()
{
    /// <summary>Arrays that grew beyond this are let go when the queue is empty.</summary>
    private const int KeptItems = 16;

    private OutputItem[] _filling = [];
    private OutputItem[] _writing = [];
    private int _count;
    private int _writingCount;
    private int _written;
    private long _bytes;

    /// <summary>Items that are not taken yet.</summary>
    public readonly int Count => Volatile.Read(in _count);

    /// <summary>Bytes that are not taken yet, about.</summary>
    public readonly long Bytes => Volatile.Read(in _bytes);

    /// <summary>Whether all that was taken is written. For the writing thread.</summary>
    public readonly bool IsTakenWritten => _written == _writingCount;

    /// <summary>Adds an item; under the lock.</summary>
    public void Append(in OutputItem item)
    {
        if (_count == _filling.Length)
        {
            Array.Resize(ref _filling, Math.Max(4, _count * 2));
        }

        _filling[_count++] = item;
        _bytes += item.Bytes;
    }

    /// <summary>Forgets what is not taken yet; under the lock.</summary>
    public void Drop()
    {
        _filling = [];
        _count = 0;
        _bytes = 0;
    }

    /// <summary>Takes all items for writing; under the lock, by the writing thread. False when there is none.</summary>
    public bool Take()
    {
        _writing.AsSpan(0, _writingCount).Clear();
        _written = 0;
        (_filling, _writing) = (_writing.Length > KeptItems && _count <= KeptItems ? [] : _writing, _filling);
        _writingCount = _count;
        _count = 0;
        _bytes = 0;
        return _writingCount > 0;
    }

    /// <summary>The next of the items that were taken. For the writing thread.</summary>
    public OutputItem Next() => _writing[_written++];
}
