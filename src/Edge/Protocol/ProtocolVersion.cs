namespace OrleansMqtt.Edge.Protocol;

/// <summary>The protocol versions that are served, by their protocol level.</summary>
internal enum ProtocolVersion : byte
{
    Mqtt311 = 4,
    Mqtt5 = 5,
}
