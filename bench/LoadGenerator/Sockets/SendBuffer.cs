namespace OrleansMqtt.LoadGenerator.Sockets;

/// <summary>What one connection writes next. Each worker has one and fills it for one connection at a time: all that is due leaves in one send.</summary>
internal sealed class SendBuffer(int capacity)
{
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);

    public int Length { get; private set; }

    public int Free => Bytes.Length - Length;

    public Span<byte> Reserve(int count)
    {
        var span = Bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }

    public void Clear() => Length = 0;
}
