namespace OrleansMqtt.Edge.Protocol;

/// <summary>
/// Reads the properties of a packet (MQTT 5, 2.2.2): one that does not belong to the packet is malformed, one that appears twice a protocol error.
/// </summary>
internal ref struct PropertyReader
{
    private readonly ulong _allowed;
    private ulong _seen;

    /// <summary>Reads the values.</summary>
    public PacketReader Values;

    /// <param name="packet">Stands at the Property Length; afterwards behind the properties.</param>
    /// <param name="allowed">The properties of this packet, from <see cref="SetOf"/>.</param>
    public PropertyReader(ref PacketReader packet, ulong allowed)
    {
        _allowed = allowed;
        Values = new PacketReader(packet.Take(packet.ReadVariableInteger()));
    }

    public static ulong SetOf(params ReadOnlySpan<PropertyId> properties)
    {
        var set = 0UL;
        foreach (var property in properties)
        {
            set |= 1UL << (int)property;
        }

        return set;
    }

    /// <summary>Goes to the next property, whose value <see cref="Values"/> then reads.</summary>
    public bool TryReadNext(out PropertyId property)
    {
        if (Values.IsAtEnd)
        {
            property = default;
            return false;
        }

        var id = Values.ReadByte();
        var bit = id < 64 ? 1UL << id : 0;
        if ((_allowed & bit) == 0)
        {
            MqttProtocolException.ThrowMalformed($"Property {id} does not belong to this packet.");
        }

        if ((_seen & bit) != 0 && id != (byte)PropertyId.UserProperty && id != (byte)PropertyId.SubscriptionIdentifier)
        {
            MqttProtocolException.ThrowProtocolError($"Property {id} appears more than once.");
        }

        _seen |= bit;
        property = (PropertyId)id;
        return true;
    }

    /// <summary>A byte that is 0 or 1.</summary>
    public bool ReadBoolean()
    {
        var value = Values.ReadByte();
        if (value > 1)
        {
            MqttProtocolException.ThrowProtocolError("A property that is 0 or 1 has another value.");
        }

        return value == 1;
    }

    /// <summary>A name and a value.</summary>
    public UserProperty ReadUserProperty() => new(Values.ReadString(), Values.ReadString());

    /// <summary>Reads properties that may hold only a Reason String and User Properties, and forgets them.</summary>
    public static void SkipReason(ref PacketReader packet)
    {
        var properties = new PropertyReader(ref packet, ReasonProperties);
        while (properties.TryReadNext(out var property))
        {
            properties.SkipText(property);
        }
    }

    /// <summary>Checks a Reason String or User Property, and forgets it.</summary>
    public void SkipText(PropertyId property)
    {
        Values.ReadUtf8();
        if (property == PropertyId.UserProperty)
        {
            Values.ReadUtf8();
        }
    }

    private static readonly ulong ReasonProperties = SetOf(PropertyId.ReasonString, PropertyId.UserProperty);
}
