namespace OrleansMqtt.Grains;

/// <summary>A session's memberships in groups of shared subscriptions, beside its subscriptions.</summary>
internal static class MembershipsRecord
{
    private const byte Version = 1;

    public static byte[] Encode(IReadOnlyCollection<StoredMembership> memberships)
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteNumber(memberships.Count);
        foreach (var (group, number, lastTaken) in memberships)
        {
            writer.WriteText(group);
            writer.WriteNumber(number);
            writer.WriteNumber(lastTaken);
        }

        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no memberships.</exception>
    public static StoredMembership[] Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(Version);
        var memberships = new StoredMembership[reader.ReadCount()];
        for (var i = 0; i < memberships.Length; i++)
        {
            memberships[i] = new(reader.ReadText(), reader.ReadNumber(), reader.ReadNumber());
        }

        return memberships;
    }
}
