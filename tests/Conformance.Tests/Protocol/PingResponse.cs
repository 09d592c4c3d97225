namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record PingResponse : Packet;
