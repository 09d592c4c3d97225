namespace OrleansMqtt.Grains;

/// <summary>
/// A message that is stored with a session, in parts, each a record of its own: whatever size of record the retained topic takes, the sessions topic need not take it.
/// </summary>
internal static class MessageCopyRecord
{
    private const byte Version = 1;
    private const int PartBytes = 256 * 1024;

    public static IEnumerable<byte[]> Encode(MqttMessage message)
    {
        StateWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteByte((byte)(message.QoS | (message.Retain ? 4 : 0) | (message.PublisherClientId is null ? 0 : 8) | (message.Properties is null ? 0 : 16)));
        writer.WriteNumber(message.TimestampMilliseconds);
        writer.WriteNumber(message.Offset);
        writer.WriteText(message.Topic);
        writer.WriteBytes(message.Payload.Span);
        if (message.PublisherClientId is { } publisher)
        {
            writer.WriteText(publisher);
        }

        if (message.Properties is { } properties)
        {
            MessagePropertiesCodec.Write(writer, properties);
        }

        return writer.Take().Chunk(PartBytes);
    }

    /// <exception cref="InvalidDataException">The bytes of all parts are no message.</exception>
    public static MqttMessage Decode(ReadOnlySpan<byte> bytes)
    {
        StateReader reader = new(bytes);
        reader.ExpectVersion(Version);
        var flags = reader.ReadByte();
        return new()
        {
            QoS = (byte)(flags & 3),
            Retain = (flags & 4) != 0,
            TimestampMilliseconds = reader.ReadNumber(),
            Offset = reader.ReadNumber(),
            Topic = reader.ReadText(),
            Payload = reader.ReadBytes().ToArray(),
            PublisherClientId = (flags & 8) != 0 ? reader.ReadText() : null,
            Properties = (flags & 16) != 0 ? MessagePropertiesCodec.Read(ref reader) : null,
        };
    }
}
