using System.Text;
using System.Text.Unicode;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>The will of a CONNECT (MQTT 5, 3.1.2.5 and 3.1.3.2 to 3.1.3.4).</summary>
internal sealed class ConnectWill
{
    private static readonly ulong AllowedProperties = PropertyReader.SetOf(
        PropertyId.WillDelayInterval, PropertyId.PayloadFormatIndicator, PropertyId.MessageExpiryInterval, PropertyId.ContentType, PropertyId.ResponseTopic,
        PropertyId.CorrelationData, PropertyId.UserProperty);

    private readonly string _topic;
    private readonly byte[] _payload;
    private readonly byte _qos;
    private readonly MessageProperties? _properties;
    private readonly uint _delay;

    private ConnectWill(string topic, byte[] payload, byte connectFlags, MessageProperties? properties, uint delay)
    {
        _topic = topic;
        _payload = payload;
        _qos = (byte)((connectFlags >> 3) & 3);
        _properties = properties;
        _delay = delay;
        Retain = (connectFlags & 0x20) != 0;
    }

    public bool Retain { get; }

    public byte QoS => _qos;

    /// <summary>Whether the topic is the server's.</summary>
    public bool IsSystem => TopicSyntax.IsSystem(_topic);

    /// <summary>Whether the payload is what its Payload Format Indicator says.</summary>
    public bool HasValidFormat => _properties is not { IsText: true } || Utf8.IsValid(_payload);

    public static ConnectWill Read(ref PacketReader reader, byte connectFlags, ProtocolVersion version)
    {
        MessageProperties? properties = null;
        var delay = version == ProtocolVersion.Mqtt5 ? ReadProperties(ref reader, out properties) : 0;
        var topic = reader.ReadUtf8();
        PublishPacket.ExpectName(topic);
        return new ConnectWill(Encoding.UTF8.GetString(topic), reader.ReadBinary().ToArray(), connectFlags, properties, delay);
    }

    public WillMessage ToMessage(string clientId) => new()
    {
        Message = new MqttMessage { Topic = _topic, Payload = _payload, QoS = _qos, Retain = Retain, PublisherClientId = clientId, Properties = _properties },
        DelaySeconds = _delay,
    };

    private static uint ReadProperties(ref PacketReader reader, out MessageProperties? message)
    {
        uint delay = 0;
        var isEmpty = true;
        var builder = default(MessagePropertiesBuilder);
        var properties = new PropertyReader(ref reader, AllowedProperties);
        while (properties.TryReadNext(out var property))
        {
            if (builder.TryRead(property, ref properties))
            {
                isEmpty = false;
            }
            else
            {
                delay = properties.Values.ReadUInt32();
            }
        }

        message = isEmpty ? null : builder.Build();
        return delay;
    }
}
