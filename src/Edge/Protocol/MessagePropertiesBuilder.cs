using System.Text;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>Gathers the properties that travel with a message, of a PUBLISH (MQTT 5, 3.3.2.3) or of a will (3.1.3.2).</summary>
internal struct MessagePropertiesBuilder
{
    private uint? _expiry;
    private string? _contentType;
    private bool? _isText;
    private string? _responseTopic;
    private ReadOnlyMemory<byte>? _correlationData;
    private List<UserProperty>? _userProperties;

    /// <summary>Reads the value of a property; false when it does not travel with the message.</summary>
    public bool TryRead(PropertyId property, ref PropertyReader properties)
    {
        switch (property)
        {
            case PropertyId.PayloadFormatIndicator:
                _isText = properties.ReadBoolean();
                return true;
            case PropertyId.MessageExpiryInterval:
                _expiry = properties.Values.ReadUInt32();
                return true;
            case PropertyId.ContentType:
                _contentType = properties.Values.ReadString();
                return true;
            case PropertyId.ResponseTopic:
                var topic = properties.Values.ReadUtf8();
                PublishPacket.ExpectName(topic);
                _responseTopic = Encoding.UTF8.GetString(topic);
                return true;
            case PropertyId.CorrelationData:
                _correlationData = properties.Values.ReadBinary().ToArray();
                return true;
            case PropertyId.UserProperty:
                (_userProperties ??= []).Add(properties.ReadUserProperty());
                return true;
            default:
                return false;
        }
    }

    public readonly MessageProperties Build() => new()
    {
        ExpiryIntervalSeconds = _expiry,
        ContentType = _contentType,
        IsText = _isText,
        ResponseTopic = _responseTopic,
        CorrelationData = _correlationData,
        UserProperties = _userProperties?.ToArray() ?? [],
    };
}
