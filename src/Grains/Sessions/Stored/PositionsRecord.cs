namespace OrleansMqtt.Grains;

/// <summary>
/// How far a session partition is: a new owner reads the messages partitions from here on. Its list gives the sources their numbers, by which all other records name them; it
/// only grows.
/// </summary>
internal sealed class PositionsRecord
{
    private const byte Version = 2;
    private const byte WithoutTopicIds = 1;

    /// <summary>The generation of the owner that wrote it.</summary>
    public required long Generation { get; init; }

    public required List<StoredPosition> Sources { get; init; }

    public byte[] Encode()
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteNumber(Generation);
        writer.WriteNumber(Sources.Count);
        Span<byte> id = stackalloc byte[16];
        foreach (var (source, position, topicId) in Sources)
        {
            writer.WriteText(source.Topic);
            writer.WriteNumber(source.Partition);
            writer.WriteNumber(position);
            topicId.TryWriteBytes(id, bigEndian: true, out _);
            writer.WriteBytes(topicId == Guid.Empty ? [] : id);
        }

        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no positions.</exception>
    public static PositionsRecord Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        var version = reader.ExpectVersion(WithoutTopicIds, Version);
        PositionsRecord record = new() { Generation = reader.ReadNumber(), Sources = [] };
        for (var left = reader.ReadLength(); left > 0; left--)
        {
            record.Sources.Add(new(new(reader.ReadText(), reader.ReadCount()), reader.ReadNumber(), version == WithoutTopicIds ? Guid.Empty : ReadId(ref reader)));
        }

        return record;
    }

    private static Guid ReadId(ref StateReader reader) => reader.ReadBytes() switch
    {
        { IsEmpty: true } => Guid.Empty,
        { Length: 16 } id => new(id, bigEndian: true),
        _ => throw new InvalidDataException("A record of the sessions topic has a topic identity of a wrong length."),
    };
}
