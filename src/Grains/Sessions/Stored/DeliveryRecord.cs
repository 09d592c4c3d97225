namespace OrleansMqtt.Grains;

/// <summary>
/// What of a session's deliveries is stored: a picture of one moment, that holds by itself. Its mailbox (in segments beside it) has everything that matched below
/// <see cref="Matched"/> and was not taken out; what was taken out is in flight here, or acknowledged.
/// </summary>
internal sealed class DeliveryRecord
{
    private const byte Version = 1;

    /// <summary>The connection whose will was published, so that it is never published again.</summary>
    public ConnectionEpoch WillPublished { get; init; }

    /// <summary>The packet identifier that was used last.</summary>
    public ushort LastPacketId { get; init; }

    /// <summary>The index in the mailbox of the first reference that was not taken out.</summary>
    public long MailboxHead { get; init; }

    /// <summary>Up to where each source was matched.</summary>
    public required SourceOffset[] Matched { get; init; }

    /// <summary>What is in flight, in the order of sending.</summary>
    public required StoredInflight[] Inflight { get; init; }

    /// <summary>The identifiers of QoS 2 messages that the client has not released.</summary>
    public required ushort[] Received { get; init; }

    /// <summary>What of retained messages is still to come.</summary>
    public StoredCursor[] Retained { get; init; } = [];

    public byte[] Encode()
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteNumber(WillPublished.Generation);
        writer.WriteNumber(WillPublished.Counter);
        writer.WriteNumber(LastPacketId);
        writer.WriteNumber(MailboxHead);
        SessionRecordCodec.WriteOffsets(writer, Matched);
        writer.WriteNumber(Inflight.Length);
        foreach (var (packetId, source, offset, qos, isReleased, retain) in Inflight)
        {
            writer.WriteNumber(packetId);
            writer.WriteByte((byte)(qos | (isReleased ? 4 : 0) | (retain ? 8 : 0)));
            writer.WriteNumber(source);
            writer.WriteNumber(offset);
        }

        writer.WriteNumber(Received.Length);
        foreach (var packetId in Received)
        {
            writer.WriteNumber(packetId);
        }

        // Written only when there are any, which is seldom: the record ends without them.
        if (Retained.Length > 0)
        {
            WriteRetained(writer);
        }

        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no delivery record.</exception>
    public static DeliveryRecord Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(Version);
        ConnectionEpoch will = new(reader.ReadNumber(), reader.ReadNumber());
        var lastPacketId = checked((ushort)reader.ReadNumber());
        var head = reader.ReadNumber();
        var matched = SessionRecordCodec.ReadOffsets(ref reader);
        var inflight = new StoredInflight[reader.ReadLength()];
        for (var i = 0; i < inflight.Length; i++)
        {
            var packetId = checked((ushort)reader.ReadNumber());
            var flags = reader.ReadByte();
            inflight[i] = new(packetId, reader.ReadCount(), reader.ReadNumber(), (byte)(flags & 3), (flags & 4) != 0, (flags & 8) != 0);
        }

        var received = new ushort[reader.ReadLength()];
        for (var i = 0; i < received.Length; i++)
        {
            received[i] = checked((ushort)reader.ReadNumber());
        }

        return new()
        {
            WillPublished = will,
            LastPacketId = lastPacketId,
            MailboxHead = head,
            Matched = matched,
            Inflight = inflight,
            Received = received,
            Retained = reader.IsAtEnd ? [] : ReadRetained(ref reader),
        };
    }

    private void WriteRetained(StateWriter writer)
    {
        writer.WriteNumber(Retained.Length);
        foreach (var (filter, ranges) in Retained)
        {
            writer.WriteText(filter);
            writer.WriteNumber(ranges.Length);
            foreach (var (source, from, before) in ranges)
            {
                writer.WriteNumber(source);
                writer.WriteNumber(from);
                writer.WriteNumber(before);
            }
        }
    }

    private static StoredCursor[] ReadRetained(ref StateReader reader)
    {
        var cursors = new StoredCursor[reader.ReadLength()];
        for (var i = 0; i < cursors.Length; i++)
        {
            var filter = reader.ReadText();
            var ranges = new (int, long, long)[reader.ReadLength()];
            for (var n = 0; n < ranges.Length; n++)
            {
                ranges[n] = (reader.ReadCount(), reader.ReadNumber(), reader.ReadNumber());
            }

            cursors[i] = new(filter, ranges);
        }

        return cursors;
    }
}
