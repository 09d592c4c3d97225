using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>What a client is answered to a PUBLISH or PUBREL.</summary>
/// <param name="Packet">The answer; <see cref="PacketType.Reserved"/> when there is none.</param>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="ReasonCode">For MQTT 5.</param>
/// <param name="FreesRoom">Whether the client may then send one more (Receive Maximum).</param>
/// <param name="IsStored">False when the message is not stored and never will be.</param>
internal readonly record struct InboundAnswer(PacketType Packet, ushort PacketId, byte ReasonCode, bool FreesRoom, bool IsStored);
