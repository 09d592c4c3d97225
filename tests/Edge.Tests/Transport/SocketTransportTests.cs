using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Edge.Tests.Transport;

public sealed class SocketTransportTests : TransportContractTests
{
    protected override IConnectionListenerFactory CreateTransport() => new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
}
