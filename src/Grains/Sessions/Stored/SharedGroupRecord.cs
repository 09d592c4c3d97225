namespace OrleansMqtt.Grains;

/// <summary>
/// What is stored of the group of a shared subscription, beside its mailbox: a picture of one moment, as <see cref="DeliveryRecord"/> is of a session. Its members are not in it: they are in the
/// sessions, and report to a new owner.
/// </summary>
internal sealed class SharedGroupRecord
{
    private const byte Version = 1;

    /// <summary>From where on the group counts.</summary>
    public required SourceOffset[] Starts { get; init; }

    /// <summary>Up to where each source was matched.</summary>
    public required SourceOffset[] Matched { get; init; }

    /// <summary>The index in the mailbox of the first reference that was not taken out.</summary>
    public long MailboxHead { get; init; }

    /// <summary>The number of the last lease.</summary>
    public long LastLease { get; init; }

    /// <summary>What was taken out of the mailbox and waits, or is leased at QoS 1 and waits again for the next owner.</summary>
    public required StoredReference[] Waiting { get; init; }

    /// <summary>What is leased at QoS 2, and not known to be in the member's session.</summary>
    public required StoredLease[] Open { get; init; }

    public byte[] Encode()
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        SessionRecordCodec.WriteOffsets(writer, Starts);
        SessionRecordCodec.WriteOffsets(writer, Matched);
        writer.WriteNumber(MailboxHead);
        writer.WriteNumber(LastLease);
        writer.WriteNumber(Waiting.Length);
        long last = 0;
        foreach (var reference in Waiting)
        {
            WriteReference(writer, reference, ref last);
        }

        Dictionary<(string, long), int> members = [];
        foreach (var lease in Open)
        {
            members.TryAdd((lease.ClientId, lease.Member), members.Count);
        }

        writer.WriteNumber(members.Count);
        foreach (var (clientId, number) in members.Keys)
        {
            writer.WriteText(clientId);
            writer.WriteNumber(number);
        }

        writer.WriteNumber(Open.Length);
        foreach (var lease in Open)
        {
            // Numbers of open leases lie close to the last.
            writer.WriteDifference(LastLease - lease.Number);
            writer.WriteNumber(members[(lease.ClientId, lease.Member)]);
            WriteReference(writer, lease.Message, ref last);
        }

        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no group.</exception>
    public static SharedGroupRecord Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(Version);
        var starts = SessionRecordCodec.ReadOffsets(ref reader);
        var matched = SessionRecordCodec.ReadOffsets(ref reader);
        var head = reader.ReadNumber();
        var lastLease = reader.ReadNumber();
        var waiting = new StoredReference[reader.ReadCount()];
        long last = 0;
        for (var i = 0; i < waiting.Length; i++)
        {
            waiting[i] = ReadReference(ref reader, ref last);
        }

        var members = new (string ClientId, long Number)[reader.ReadCount()];
        for (var i = 0; i < members.Length; i++)
        {
            members[i] = (reader.ReadText(), reader.ReadNumber());
        }

        var open = new StoredLease[reader.ReadCount()];
        for (var i = 0; i < open.Length; i++)
        {
            var number = lastLease - reader.ReadDifference();
            var (clientId, member) = members[reader.ReadCount()];
            open[i] = new(number, clientId, member, ReadReference(ref reader, ref last));
        }

        return new() { Starts = starts, Matched = matched, MailboxHead = head, LastLease = lastLease, Waiting = waiting, Open = open };
    }

    private static void WriteReference(StateWriter writer, StoredReference reference, ref long last)
    {
        writer.WriteNumber((reference.Source << 2) | reference.QoS);
        writer.WriteDifference(reference.Offset - last);
        last = reference.Offset;
    }

    private static StoredReference ReadReference(ref StateReader reader, ref long last)
    {
        var source = reader.ReadCount();
        last += reader.ReadDifference();
        return new(source >> 2, last, (byte)(source & 3));
    }
}
