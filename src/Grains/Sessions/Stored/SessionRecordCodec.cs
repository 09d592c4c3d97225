namespace OrleansMqtt.Grains;

/// <summary>The layout of <see cref="SessionRecord"/> on the sessions topic.</summary>
internal static class SessionRecordCodec
{
    /// <summary>Without retain options and identifiers of subscriptions.</summary>
    private const byte OldestVersion = 1;
    private const byte Version = 2;

    public static byte[] Encode(SessionRecord record)
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteNumber(record.ExpirySeconds);
        writer.WriteNumber(record.Epoch.Generation);
        writer.WriteNumber(record.Epoch.Counter);
        writer.WriteText(record.Edge ?? "");
        writer.WriteNumber(record.ConnectionId);
        writer.WriteNumber(record.DisconnectedAt);
        WriteWill(writer, record.Will);
        List<SourceOffset[]> starts = [.. record.Subscriptions.Select(subscription => subscription.Starts).Distinct()];
        writer.WriteNumber(starts.Count);
        foreach (var offsets in starts)
        {
            WriteOffsets(writer, offsets);
        }

        writer.WriteNumber(record.Subscriptions.Count);
        foreach (var (subscription, offsets) in record.Subscriptions)
        {
            WriteSubscription(writer, subscription);
            writer.WriteNumber(starts.IndexOf(offsets));
        }

        // Last, where versions that do not know of it look at nothing.
        writer.WriteByte(record.IsFirstConnection ? (byte)1 : (byte)0);
        return writer.Take();
    }

    /// <exception cref="InvalidDataException">The bytes are no session.</exception>
    public static SessionRecord Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(OldestVersion, Version);
        SessionRecord record = new()
        {
            ExpirySeconds = checked((uint)reader.ReadNumber()),
            Epoch = new(reader.ReadNumber(), reader.ReadNumber()),
            Edge = reader.ReadText() is { Length: > 0 } edge ? edge : null,
            ConnectionId = reader.ReadNumber(),
            DisconnectedAt = reader.ReadNumber(),
            Will = ReadWill(ref reader),
        };
        var starts = new SourceOffset[reader.ReadLength()][];
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = ReadOffsets(ref reader);
        }

        for (var left = reader.ReadLength(); left > 0; left--)
        {
            record.Subscriptions.Add(new(ReadSubscription(ref reader), starts[reader.ReadCount()]));
        }

        record.IsFirstConnection = !reader.IsAtEnd && reader.ReadByte() != 0;

        return record;
    }

    public static void WriteOffsets(StateWriter writer, ReadOnlySpan<SourceOffset> offsets)
    {
        writer.WriteNumber(offsets.Length);
        foreach (var (source, offset) in offsets)
        {
            writer.WriteNumber(source);
            writer.WriteNumber(offset);
        }
    }

    public static SourceOffset[] ReadOffsets(ref StateReader reader)
    {
        var offsets = new SourceOffset[reader.ReadLength()];
        for (var i = 0; i < offsets.Length; i++)
        {
            offsets[i] = new(reader.ReadCount(), reader.ReadNumber());
        }

        return offsets;
    }

    /// <summary>The lower six bits of the options are those of SUBSCRIBE (MQTT 5, 3.8.3.1); the next says that an identifier follows.</summary>
    private static void WriteSubscription(StateWriter writer, Subscription subscription)
    {
        writer.WriteText(subscription.Filter);
        writer.WriteByte((byte)(
            subscription.MaximumQoS
            | (subscription.NoLocal ? 4 : 0)
            | (subscription.RetainAsPublished ? 8 : 0)
            | (subscription.RetainHandling << 4)
            | (subscription.Identifier == 0 ? 0 : 64)));
        if (subscription.Identifier != 0)
        {
            writer.WriteNumber(subscription.Identifier);
        }
    }

    private static Subscription ReadSubscription(ref StateReader reader)
    {
        var filter = reader.ReadText();
        var options = reader.ReadByte();
        return new()
        {
            Filter = filter,
            MaximumQoS = (byte)(options & 3),
            NoLocal = (options & 4) != 0,
            RetainAsPublished = (options & 8) != 0,
            RetainHandling = (byte)((options >> 4) & 3),
            Identifier = (options & 64) != 0 ? reader.ReadCount() : 0,
        };
    }

    private static void WriteWill(StateWriter writer, WillMessage? will)
    {
        if (will is null)
        {
            writer.WriteByte(0);
            return;
        }

        var message = will.Message;
        writer.WriteByte((byte)(1 | (message.QoS << 1) | (message.Retain ? 8 : 0) | (message.Properties is null ? 0 : 16)));
        writer.WriteNumber(will.DelaySeconds);
        writer.WriteText(message.Topic);
        writer.WriteBytes(message.Payload.Span);
        writer.WriteText(message.PublisherClientId ?? "");
        if (message.Properties is { } properties)
        {
            MessagePropertiesCodec.Write(writer, properties);
        }
    }

    private static WillMessage? ReadWill(ref StateReader reader)
    {
        var flags = reader.ReadByte();
        if (flags == 0)
        {
            return null;
        }

        var delay = checked((uint)reader.ReadNumber());
        return new()
        {
            DelaySeconds = delay,
            Message = new()
            {
                QoS = (byte)((flags >> 1) & 3),
                Retain = (flags & 8) != 0,
                Topic = reader.ReadText(),
                Payload = reader.ReadBytes().ToArray(),
                PublisherClientId = reader.ReadText(),
                Properties = (flags & 16) != 0 ? MessagePropertiesCodec.Read(ref reader) : null,
            },
        };
    }
}
