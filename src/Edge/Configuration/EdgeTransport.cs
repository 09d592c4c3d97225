namespace OrleansMqtt.Edge.Configuration;

/// <summary>What carries the bytes of the clients.</summary>
public enum EdgeTransport
{
    /// <summary><see cref="Epoll"/> where it runs, else <see cref="Sockets"/>.</summary>
    Auto,

    /// <summary>The server's own, for Linux on x64 and Arm64: a packet costs a fraction of the processor time.</summary>
    Epoll,

    /// <summary>That of Kestrel.</summary>
    Sockets,
}
