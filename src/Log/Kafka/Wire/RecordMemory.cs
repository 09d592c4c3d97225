namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Memory for records that were read, in blocks that neighbours share: small enough that a record that is kept keeps little else. For one thread.</summary>
internal sealed class RecordMemory
{
    private const int BlockSize = 16 * 1024;
    private const int LargestShared = 4 * 1024;
    private byte[] _block = [];
    private int _used;

    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > LargestShared)
        {
            return bytes.ToArray();
        }

        if (bytes.Length > _block.Length - _used)
        {
            (_block, _used) = (GC.AllocateUninitializedArray<byte>(BlockSize), 0);
        }

        var memory = _block.AsMemory(_used, bytes.Length);
        bytes.CopyTo(memory.Span);
        _used += bytes.Length;
        return memory;
    }
}
