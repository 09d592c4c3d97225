using System.Collections;
using System.Globalization;

namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>Properties in their order; nothing keeps a test from repeating one or giving it a forbidden value.</summary>
internal sealed class PropertyList : IEnumerable<KeyValuePair<PropertyId, object>>
{
    private readonly List<KeyValuePair<PropertyId, object>> _properties = [];

    public IEnumerable<(string Name, string Value)> UserProperties => _properties.Where(property => property.Key is PropertyId.UserProperty).Select(property => ((string, string))property.Value);

    public static PropertyList ReadFrom(PacketReader reader)
    {
        PropertyList list = [];
        for (var end = reader.ReadVariableInteger() + reader.Position; reader.Position < end;)
        {
            var id = (PropertyId)reader.ReadVariableInteger();
            list.Add(id, KindOf(id) switch
            {
                PropertyKind.Byte => (uint)reader.ReadByte(),
                PropertyKind.TwoBytes => (uint)reader.ReadUInt16(),
                PropertyKind.FourBytes => reader.ReadUInt32(),
                PropertyKind.VariableInteger => (uint)reader.ReadVariableInteger(),
                PropertyKind.Text => reader.ReadText(),
                PropertyKind.Binary => reader.ReadBinary(),
                _ => (reader.ReadText(), reader.ReadText()),
            });
        }

        return list;
    }

    public void Add(PropertyId id, object value) => _properties.Add(new(id, value));

    public void Add(KeyValuePair<PropertyId, object> property) => _properties.Add(property);

    public uint? Number(PropertyId id) => (uint?)Single(id);

    /// <summary>The values of a property that may repeat, in order.</summary>
    public IEnumerable<uint> Numbers(PropertyId id) => _properties.Where(property => property.Key == id).Select(property => (uint)property.Value);

    public string? Text(PropertyId id) => (string?)Single(id);

    public byte[]? Binary(PropertyId id) => (byte[]?)Single(id);

    public void WriteTo(PacketWriter writer)
    {
        PacketWriter properties = new();
        foreach (var (id, value) in _properties)
        {
            properties.WriteByte((byte)id);
            switch (KindOf(id))
            {
                case PropertyKind.Byte:
                    properties.WriteByte(Convert.ToByte(value, CultureInfo.InvariantCulture));
                    break;
                case PropertyKind.TwoBytes:
                    properties.WriteUInt16(Convert.ToUInt16(value, CultureInfo.InvariantCulture));
                    break;
                case PropertyKind.FourBytes:
                    properties.WriteUInt32(Convert.ToUInt32(value, CultureInfo.InvariantCulture));
                    break;
                case PropertyKind.VariableInteger:
                    properties.WriteVariableInteger(Convert.ToInt32(value, CultureInfo.InvariantCulture));
                    break;
                case PropertyKind.Text:
                    properties.WriteText((string)value);
                    break;
                case PropertyKind.Binary:
                    properties.WriteBinary((byte[])value);
                    break;
                default:
                    var (name, text) = ((string, string))value;
                    properties.WriteText(name);
                    properties.WriteText(text);
                    break;
            }
        }

        writer.WriteVariableInteger(properties.Length);
        writer.WriteBytes(properties.ToArray());
    }

    public IEnumerator<KeyValuePair<PropertyId, object>> GetEnumerator() => _properties.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"[{string.Join(", ", _properties.Select(property => $"{property.Key}={property.Value}"))}]";

    private static PropertyKind KindOf(PropertyId id) => id switch
    {
        PropertyId.PayloadFormat or PropertyId.RequestProblemInformation or PropertyId.RequestResponseInformation or PropertyId.MaximumQoS or PropertyId.RetainAvailable
            or PropertyId.WildcardAvailable or PropertyId.SubscriptionIdentifierAvailable or PropertyId.SharedAvailable => PropertyKind.Byte,
        PropertyId.ServerKeepAlive or PropertyId.ReceiveMaximum or PropertyId.TopicAliasMaximum or PropertyId.TopicAlias => PropertyKind.TwoBytes,
        PropertyId.MessageExpiry or PropertyId.SessionExpiry or PropertyId.WillDelay or PropertyId.MaximumPacketSize => PropertyKind.FourBytes,
        PropertyId.SubscriptionIdentifier => PropertyKind.VariableInteger,
        PropertyId.ContentType or PropertyId.ResponseTopic or PropertyId.AssignedClientId or PropertyId.AuthenticationMethod or PropertyId.ResponseInformation
            or PropertyId.ServerReference or PropertyId.ReasonString => PropertyKind.Text,
        PropertyId.CorrelationData or PropertyId.AuthenticationData => PropertyKind.Binary,
        PropertyId.UserProperty => PropertyKind.Pair,
        _ => throw new InvalidDataException($"There is no property {(int)id:X2}."),
    };

    private object? Single(PropertyId id) => _properties.SingleOrDefault(property => property.Key == id).Value;
}
