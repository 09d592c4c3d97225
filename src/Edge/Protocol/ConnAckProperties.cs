using System.Buffers;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>What CONNACK tells an MQTT 5 client about the server (MQTT 5, 3.2.2.3).</summary>
internal readonly struct ConnAckProperties
{
    public required ServerFeatures Features { get; init; }

    public required ushort ReceiveMaximum { get; init; }

    public required int MaximumPacketSize { get; init; }

    /// <summary>The identifier that the server made; null when the client brought its own.</summary>
    public string? AssignedClientIdentifier { get; init; }

    /// <summary>The Keep Alive that counts instead of the client's; null when the client's counts.</summary>
    public ushort? ServerKeepAlive { get; init; }

    /// <summary>The Session Expiry Interval that counts instead of the client's; null when the client's counts.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>What response topics of the client begin with; null when it is not told one.</summary>
    public string? ResponseInformation { get; init; }

    /// <summary>The method that authenticated the client; null when it named none in CONNECT.</summary>
    public string? AuthenticationMethod { get; init; }

    /// <summary>The server's last piece for the method, or nothing.</summary>
    public ReadOnlyMemory<byte> AuthenticationData { get; init; }

    public void Write(IBufferWriter<byte> target)
    {
        if (SessionExpiryInterval is { } expiry)
        {
            PacketWriter.WriteByte(target, (byte)PropertyId.SessionExpiryInterval);
            PacketWriter.WriteUInt32(target, expiry);
        }

        PacketWriter.WriteByte(target, (byte)PropertyId.ReceiveMaximum);
        PacketWriter.WriteUInt16(target, ReceiveMaximum);
        if (Features.MaximumQoS < 2)
        {
            PacketWriter.WriteByte(target, (byte)PropertyId.MaximumQoS);
            PacketWriter.WriteByte(target, Features.MaximumQoS);
        }

        WriteUnavailable(target, PropertyId.RetainAvailable, Features.Retain);
        PacketWriter.WriteByte(target, (byte)PropertyId.MaximumPacketSize);
        PacketWriter.WriteUInt32(target, (uint)MaximumPacketSize);
        if (AssignedClientIdentifier is not null)
        {
            PacketWriter.WriteByte(target, (byte)PropertyId.AssignedClientIdentifier);
            PacketWriter.WriteString(target, AssignedClientIdentifier);
        }

        if (Features.TopicAliasMaximum > 0)
        {
            PacketWriter.WriteByte(target, (byte)PropertyId.TopicAliasMaximum);
            PacketWriter.WriteUInt16(target, Features.TopicAliasMaximum);
        }

        WriteUnavailable(target, PropertyId.WildcardSubscriptionAvailable, Features.WildcardSubscriptions);
        WriteUnavailable(target, PropertyId.SubscriptionIdentifierAvailable, Features.SubscriptionIdentifiers);
        WriteUnavailable(target, PropertyId.SharedSubscriptionAvailable, Features.SharedSubscriptions);
        if (ServerKeepAlive is { } keepAlive)
        {
            PacketWriter.WriteByte(target, (byte)PropertyId.ServerKeepAlive);
            PacketWriter.WriteUInt16(target, keepAlive);
        }

        if (ResponseInformation is not null)
        {
            PacketWriter.WriteByte(target, (byte)PropertyId.ResponseInformation);
            PacketWriter.WriteString(target, ResponseInformation);
        }

        if (AuthenticationMethod is not null)
        {
            PacketWriter.WriteAuthentication(target, AuthenticationMethod, AuthenticationData.Span);
        }
    }

    /// <summary>These properties mean "available" when they are absent.</summary>
    private static void WriteUnavailable(IBufferWriter<byte> target, PropertyId property, bool isAvailable)
    {
        if (!isAvailable)
        {
            PacketWriter.WriteByte(target, (byte)property);
            PacketWriter.WriteByte(target, 0);
        }
    }
}
