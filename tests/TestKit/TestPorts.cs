using System.Net;
using System.Net.Sockets;

namespace OrleansMqtt.TestKit;

/// <summary>Free ports on loopback.</summary>
public static class TestPorts
{
    /// <summary>Below those that the system hands out by itself, so that no outgoing connection, nor a listener on port 0, takes it meanwhile.</summary>
    public static int Free()
    {
        while (true)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            IPEndPoint endPoint = new(IPAddress.Loopback, Random.Shared.Next(12_000, 20_000));
            try
            {
                socket.Bind(endPoint);
                return endPoint.Port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one then.
            }
        }
    }
}
