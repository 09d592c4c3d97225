namespace OrleansMqtt.Edge.Configuration;

/// <summary>What the clients of a listener may speak.</summary>
public enum ListenerTransport
{
    /// <summary>MQTT or WebSocket: the first bytes tell.</summary>
    Any,

    /// <summary>MQTT only.</summary>
    Tcp,

    /// <summary>MQTT over WebSocket only.</summary>
    WebSocket,
}
