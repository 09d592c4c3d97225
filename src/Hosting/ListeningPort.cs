using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace OrleansMqtt.Hosting;

/// <summary>A port of the settings, on an IP address or, with *, on all.</summary>
public static class ListeningPort
{
    /// <summary>Has Kestrel listen there.</summary>
    public static void Listen(this KestrelServerOptions kestrel, string address, int port, Action<ListenOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        if (address == "*")
        {
            kestrel.ListenAnyIP(port, configure);
        }
        else
        {
            kestrel.Listen(IPAddress.Parse(address), port, configure);
        }
    }

    /// <summary>Asks whether a port can be had before anything else starts: a server that finds its port taken would have to be torn down half started.</summary>
    /// <param name="section">The settings that hold <c>Address</c> and <c>Port</c>.</param>
    /// <param name="address">An IP address, or * for all.</param>
    /// <param name="port">The port; 0 is always free.</param>
    /// <exception cref="IOException">It can't, which is said in the words of a wrong setting.</exception>
    public static void ThrowIfTaken(string section, string address, int port)
    {
        if (port == 0)
        {
            return;
        }

        var ip = address != "*" ? IPAddress.Parse(address) : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        using Socket socket = new(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (ip.Equals(IPAddress.IPv6Any))
        {
            socket.DualMode = true;
        }

        try
        {
            socket.Bind(new IPEndPoint(ip, port));
        }
        catch (SocketException exception)
        {
            throw new IOException(Describe(section, address, port, exception), exception);
        }
    }

    private static string Describe(string section, string address, int port, SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => $"{section}:Port is {port}: another program listens there.",
        SocketError.AccessDenied => $"{section}:Port is {port}: this user may not listen there.",
        SocketError.AddressNotAvailable => $"{section}:Address is '{address}': this machine has no such address.",
        _ => $"{section}:Port is {port}, at {address}: {exception.Message}",
    };
}
