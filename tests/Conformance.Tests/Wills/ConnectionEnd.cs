namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>How a connection ends otherwise than by a normal DISCONNECT.</summary>
public enum ConnectionEnd
{
    SocketLoss,
    KeepAlive,
    MalformedPacket,
    SecondConnect,
    WrongDisconnect,
    Takeover,
}
