namespace OrleansMqtt.Sessions.Tests.Clients;

/// <summary>A PUBLISH as it came.</summary>
/// <param name="IsNew">For the application: not a QoS 2 PUBLISH with a packet identifier that is still to be released.</param>
internal sealed record IncomingPublish(ushort PacketId, bool IsDuplicate, int QoS, string Topic, string Payload, bool IsNew, bool IsRetained = false);
