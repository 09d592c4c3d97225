namespace OrleansMqtt.Grains;

/// <summary>The layout of the properties of a message on the sessions topic.</summary>
internal static class MessagePropertiesCodec
{
    public static void Write(StateWriter writer, MessageProperties properties)
    {
        writer.WriteByte((byte)(
            (properties.ExpiryIntervalSeconds is null ? 0 : 1)
            | (properties.ContentType is null ? 0 : 2)
            | (properties.IsText is null ? 0 : 4)
            | (properties.IsText == true ? 8 : 0)
            | (properties.ResponseTopic is null ? 0 : 16)
            | (properties.CorrelationData is null ? 0 : 32)));
        if (properties.ExpiryIntervalSeconds is { } expiry)
        {
            writer.WriteNumber(expiry);
        }

        if (properties.ContentType is { } contentType)
        {
            writer.WriteText(contentType);
        }

        if (properties.ResponseTopic is { } responseTopic)
        {
            writer.WriteText(responseTopic);
        }

        if (properties.CorrelationData is { } correlation)
        {
            writer.WriteBytes(correlation.Span);
        }

        writer.WriteNumber(properties.UserProperties.Length);
        foreach (var property in properties.UserProperties)
        {
            writer.WriteText(property.Name);
            writer.WriteText(property.Value);
        }
    }

    public static MessageProperties Read(ref StateReader reader)
    {
        var flags = reader.ReadByte();
        uint? expiry = (flags & 1) != 0 ? checked((uint)reader.ReadNumber()) : null;
        var contentType = (flags & 2) != 0 ? reader.ReadText() : null;
        var responseTopic = (flags & 16) != 0 ? reader.ReadText() : null;
        ReadOnlyMemory<byte>? correlation = (flags & 32) != 0 ? reader.ReadBytes().ToArray() : null;
        var userProperties = new UserProperty[reader.ReadLength()];
        for (var i = 0; i < userProperties.Length; i++)
        {
            userProperties[i] = new(reader.ReadText(), reader.ReadText());
        }

        return new()
        {
            ExpiryIntervalSeconds = expiry,
            ContentType = contentType,
            IsText = (flags & 4) != 0 ? (flags & 8) != 0 : null,
            ResponseTopic = responseTopic,
            CorrelationData = correlation,
            UserProperties = userProperties,
        };
    }
}
