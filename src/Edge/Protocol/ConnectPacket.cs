namespace OrleansMqtt.Edge.Protocol;

/// <summary>A CONNECT (MQTT 5, 3.1; MQTT 3.1.1, 3.1).</summary>
internal sealed class ConnectPacket
{
    private static readonly ulong ConnectProperties = PropertyReader.SetOf(
        PropertyId.SessionExpiryInterval, PropertyId.ReceiveMaximum, PropertyId.MaximumPacketSize, PropertyId.TopicAliasMaximum, PropertyId.RequestResponseInformation,
        PropertyId.RequestProblemInformation, PropertyId.UserProperty, PropertyId.AuthenticationMethod, PropertyId.AuthenticationData);

    public bool CleanStart { get; private set; }

    /// <summary>Keep Alive in seconds; 0 is none.</summary>
    public ushort KeepAlive { get; private set; }

    public string ClientId { get; private set; } = "";

    /// <summary>The will; null when the client has none.</summary>
    public ConnectWill? Will { get; private set; }

    /// <summary>In seconds; 0 ends the session with the connection, <see cref="uint.MaxValue"/> never ends it. Of MQTT 3.1.1: one of the two, by Clean Session.</summary>
    public uint SessionExpiryInterval { get; private set; }

    public ushort ReceiveMaximum { get; private set; } = ushort.MaxValue;

    /// <summary>The greatest packet that the client takes.</summary>
    public uint MaximumPacketSize { get; private set; } = uint.MaxValue;

    /// <summary>The greatest topic alias that the client takes; 0 when it takes none.</summary>
    public ushort TopicAliasMaximum { get; private set; }

    /// <summary>Whether the client asks for Response Information.</summary>
    public bool RequestsResponseInformation { get; private set; }

    /// <summary>Whether packets other than PUBLISH, CONNACK and DISCONNECT may hold a Reason String.</summary>
    public bool RequestsProblemInformation { get; private set; } = true;

    /// <summary>Null when there is none.</summary>
    public string? UserName { get; private set; }

    /// <summary>Null when there is none.</summary>
    public byte[]? Password { get; private set; }

    /// <summary>The method of enhanced authentication; null when the client does not ask for it.</summary>
    public string? AuthenticationMethod { get; private set; }

    /// <summary>The client's first piece for the method, or nothing.</summary>
    public byte[] AuthenticationData { get; private set; } = [];

    /// <summary>
    /// Reads Protocol Name and Protocol Level, so that what follows can be answered in the client's version; null when the packet is of no known protocol, which is not
    /// answered at all. A level that is not served throws, with <paramref name="version"/> set to the version that the answer is written in.
    /// </summary>
    public static void ReadVersion(ref PacketReader reader, bool allowMqtt31, out ProtocolVersion? version)
    {
        version = null;
        var name = reader.ReadBinary();
        var level = reader.ReadByte();
        var isMqtt = name.SequenceEqual("MQTT"u8);
        if (!isMqtt && !name.SequenceEqual("MQIsdp"u8))
        {
            MqttProtocolException.ThrowProtocolError("The protocol name is not MQTT.");
        }

        if (allowMqtt31 && !isMqtt && level == (byte)ProtocolVersion.Mqtt31)
        {
            version = ProtocolVersion.Mqtt31;
            return;
        }

        // Bit 7 is how bridges of some brokers mark themselves: an answer in 3.1.1 makes them try again without it.
        version = isMqtt && (level & 0x7F) >= (int)ProtocolVersion.Mqtt5 ? ProtocolVersion.Mqtt5 : ProtocolVersion.Mqtt311;
        if (!isMqtt || level != (byte)version)
        {
            throw new MqttProtocolException(ReasonCode.UnsupportedProtocolVersion, $"Protocol level {level} is not served: it is 4 for MQTT 3.1.1 or 5 for MQTT 5.");
        }
    }

    /// <summary>Reads what follows the Protocol Level. When it throws, what was read before counts for the answer.</summary>
    public void Read(ref PacketReader reader, ProtocolVersion version)
    {
        var flags = reader.ReadByte();
        CheckFlags(flags, version);
        CleanStart = (flags & 0x02) != 0;
        KeepAlive = reader.ReadUInt16();
        if (version != ProtocolVersion.Mqtt5)
        {
            SessionExpiryInterval = CleanStart ? 0 : uint.MaxValue;
        }

        if (version == ProtocolVersion.Mqtt5)
        {
            ReadProperties(ref reader);
        }

        ClientId = reader.ReadString();
        if ((flags & 0x04) != 0)
        {
            Will = ConnectWill.Read(ref reader, flags, version);
        }

        // In MQTT 3.1 the length of the packet goes before these flags: what they promise may be missing.
        if ((flags & 0x80) != 0 && !(version == ProtocolVersion.Mqtt31 && reader.IsAtEnd))
        {
            UserName = reader.ReadString();
        }

        if ((flags & 0x40) != 0 && !(version == ProtocolVersion.Mqtt31 && reader.IsAtEnd))
        {
            Password = reader.ReadBinary().ToArray();
        }

        reader.ExpectEnd();
    }

    private static void CheckFlags(byte flags, ProtocolVersion version)
    {
        if (version == ProtocolVersion.Mqtt31)
        {
            // It gives the reserved flag, and those of a will that there is not, no meaning.
            if ((flags & 0x1C) == 0x1C)
            {
                MqttProtocolException.ThrowMalformed("CONNECT has a will with QoS 3.");
            }

            return;
        }

        if ((flags & 0x01) != 0)
        {
            MqttProtocolException.ThrowMalformed("The reserved flag of CONNECT is set.");
        }

        var willQoS = (flags >> 3) & 3;
        if (willQoS == 3 || ((flags & 0x04) == 0 && (flags & 0x38) != 0))
        {
            MqttProtocolException.ThrowMalformed("The will flags of CONNECT contradict each other.");
        }

        if (version == ProtocolVersion.Mqtt311 && (flags & 0xC0) == 0x40)
        {
            MqttProtocolException.ThrowMalformed("CONNECT has a password without a user name.");
        }
    }

    private void ReadProperties(ref PacketReader reader)
    {
        var hasData = false;
        var properties = new PropertyReader(ref reader, ConnectProperties);
        while (properties.TryReadNext(out var property))
        {
            switch (property)
            {
                case PropertyId.SessionExpiryInterval:
                    SessionExpiryInterval = properties.Values.ReadUInt32();
                    break;
                case PropertyId.ReceiveMaximum:
                    ReceiveMaximum = properties.Values.ReadUInt16();
                    ExpectNotZero(ReceiveMaximum, "Receive Maximum");
                    break;
                case PropertyId.MaximumPacketSize:
                    // The answer is written within it, so only what is allowed counts.
                    var size = properties.Values.ReadUInt32();
                    ExpectNotZero(size, "Maximum Packet Size");
                    MaximumPacketSize = size;
                    break;
                case PropertyId.TopicAliasMaximum:
                    TopicAliasMaximum = properties.Values.ReadUInt16();
                    break;
                case PropertyId.RequestResponseInformation:
                    RequestsResponseInformation = properties.ReadBoolean();
                    break;
                case PropertyId.RequestProblemInformation:
                    RequestsProblemInformation = properties.ReadBoolean();
                    break;
                case PropertyId.AuthenticationMethod:
                    AuthenticationMethod = properties.Values.ReadString();
                    break;
                case PropertyId.AuthenticationData:
                    AuthenticationData = properties.Values.ReadBinary().ToArray();
                    hasData = true;
                    break;
                default:
                    properties.SkipText(property);
                    break;
            }
        }

        if (hasData && AuthenticationMethod is null)
        {
            MqttProtocolException.ThrowProtocolError("Authentication Data needs an Authentication Method.");
        }
    }

    private static void ExpectNotZero(uint value, string name)
    {
        if (value == 0)
        {
            MqttProtocolException.ThrowProtocolError($"{name} may not be 0.");
        }
    }
}
