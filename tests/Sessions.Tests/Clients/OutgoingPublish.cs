namespace OrleansMqtt.Sessions.Tests.Clients;

/// <summary>A publish that its client has not seen the end of; QoS 0 has none.</summary>
internal sealed class OutgoingPublish(ushort packetId, string topic, string payload, int qos, bool isRetained = false)
{
    public ushort PacketId => packetId;

    public string Topic => topic;

    public string Payload => payload;

    public int QoS => qos;

    /// <summary>To be kept as the retained message of its topic.</summary>
    public bool IsRetained => isRetained;

    /// <summary>QoS 2: PUBREC has come; from here on only PUBREL may be sent again.</summary>
    public bool IsTaken { get; set; }

    /// <summary>Whether its PUBREL was sent on more than one connection, or may have been.</summary>
    public bool IsReleasedAgain { get; set; }
}
