namespace OrleansMqtt.Grains;

/// <summary>A packet that is sent when what it depends on is durable: a PUBLISH, or the PUBREL of one (without a message).</summary>
internal readonly record struct GatheredDelivery(
    Session Session, ConnectionEpoch Epoch, MqttMessage? Message, ushort PacketId, byte QoS, bool IsDuplicate, int[]? Identifiers, int Source, bool IsRetained = false);
