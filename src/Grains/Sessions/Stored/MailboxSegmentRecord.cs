namespace OrleansMqtt.Grains;

/// <summary>
/// The layout of a mailbox segment: references in the order of their arrival. Two bits are the QoS, which is 1 or 2; with the RETAIN flag they are 0 for QoS 1 and 3 for QoS 2.
/// </summary>
internal static class MailboxSegmentRecord
{
    private const byte Version = 1;

    /// <param name="references">The references.</param>
    /// <param name="sourceOf">The number of a link's source.</param>
    public static byte[] Encode(ReadOnlySpan<MessageReference> references, ReadOnlySpan<int> sourceOf)
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteNumber(references.Length);
        long last = 0;
        foreach (var reference in references)
        {
            var source = reference.Link < sourceOf.Length ? sourceOf[reference.Link] : SourceNumbers.None;
            writer.WriteNumber((source << 2) | (reference.Retain ? (reference.QoS == 1 ? 0 : 3) : reference.QoS));
            writer.WriteDifference(reference.Offset - last);
            last = reference.Offset;
        }

        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no segment.</exception>
    public static (int Source, long Offset, byte QoS, bool Retain)[] Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(Version);
        var references = new (int, long, byte, bool)[reader.ReadLength()];
        long last = 0;
        for (var i = 0; i < references.Length; i++)
        {
            var source = reader.ReadCount();
            last += reader.ReadDifference();
            var qos = (byte)(source & 3);
            references[i] = (source >> 2, last, qos switch { 0 => 1, 3 => 2, _ => qos }, qos is 0 or 3);
        }

        return references;
    }
}
