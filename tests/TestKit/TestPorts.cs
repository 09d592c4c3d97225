using System.Net;
using System.Net.Sockets;

namespace OrleansMqtt.TestKit;

/// <summary>Free ports on loopback.</summary>
public static class TestPorts
{
    public static int Free()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
