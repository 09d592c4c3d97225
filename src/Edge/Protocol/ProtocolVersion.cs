namespace OrleansMqtt.Edge.Protocol;

/// <summary>The protocol versions that are served, by their protocol level.</summary>
internal enum ProtocolVersion : byte
{
    /// <summary>Only where it is configured.</summary>
    Mqtt31 = 3,
    Mqtt311 = 4,
    Mqtt5 = 5,
}
