using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// How far a session partition is: a new owner reads the messages partitions from here on. Its list gives the sources their numbers, by which all other records name them; it
/// only grows.
/// </summary>
internal sealed class PositionsRecord
{
    private const byte Version = 1;

    /// <summary>The generation of the owner that wrote it.</summary>
    public required long Generation { get; init; }

    public required List<(TopicPartitionId Source, long Position)> Sources { get; init; }

    public byte[] Encode()
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteNumber(Generation);
        writer.WriteNumber(Sources.Count);
        foreach (var (source, position) in Sources)
        {
            writer.WriteText(source.Topic);
            writer.WriteNumber(source.Partition);
            writer.WriteNumber(position);
        }

        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no positions.</exception>
    public static PositionsRecord Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(Version);
        PositionsRecord record = new() { Generation = reader.ReadNumber(), Sources = [] };
        for (var left = reader.ReadLength(); left > 0; left--)
        {
            record.Sources.Add((new(reader.ReadText(), reader.ReadCount()), reader.ReadNumber()));
        }

        return record;
    }
}
