using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Transport;

namespace OrleansMqtt.Edge.Tests.Transport;

public sealed class EpollTransportTests : TransportContractTests
{
    protected override IConnectionListenerFactory CreateTransport() => new EpollTransport(static _ => true, loops: 2, NullLogger.Instance);

    [Fact]
    public async Task A_reader_runs_on_the_threads_of_the_transport_only_where_it_asks_for_it()
    {
        await using var listener = await TransportListener.StartAsync(CreateTransport());
        using var client = await listener.ConnectAsync();
        var transport = (await listener.AcceptAsync())!.Transport;
        var reading = ReadAsync(transport.Input);
        await client.SendAsync(new byte[1]);
        Assert.DoesNotContain("epoll", await reading.WaitAsync(TransportListener.Timeout), StringComparison.Ordinal);
        ((IInlineReading)transport).ReadsInline = true;
        reading = ReadAsync(transport.Input);
        await client.SendAsync(new byte[1]);
        Assert.StartsWith("epoll", await reading.WaitAsync(TransportListener.Timeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_left_when_the_transport_is_disposed_is_aborted()
    {
        var transport = CreateTransport();
        await using var listener = await TransportListener.StartAsync(transport);
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var reading = server.Transport.Input.ReadAsync().AsTask();
        ((IDisposable)transport).Dispose();
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => reading.WaitAsync(TransportListener.Timeout));
        await Assert.ThrowsAsync<SocketException>(() => client.ReceiveAsync(new byte[1]).WaitAsync(TransportListener.Timeout));
        await server.DisposeAsync().AsTask().WaitAsync(TransportListener.Timeout);
    }

    [Fact]
    public async Task An_event_that_comes_while_the_reader_is_behind_is_not_lost()
    {
        // The last bytes, and the end, arrive while nothing is received, so that no edge follows when it is received again.
        await using var listener = await TransportListener.StartAsync(CreateTransport());
        for (var round = 0; round < 20; round++)
        {
            var (client, server) = await listener.OpenAsync();
            using var _ = client;
            var input = server.Transport.Input;
            var sent = new byte[(1024 * 1024) + 100_000];
            var sending = Task.Run(async () =>
            {
                for (var position = 0; position < sent.Length;)
                {
                    position += await client.SendAsync(sent.AsMemory(position));
                }

                client.Shutdown(SocketShutdown.Send);
            });
            await sending.WaitAsync(TransportListener.Timeout);
            long read = 0;
            while (true)
            {
                var result = await input.ReadAsync().AsTask().WaitAsync(TransportListener.Timeout);
                read += result.Buffer.Length;
                input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    break;
                }
            }

            Assert.Equal(sent.Length, read);
            await server.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("Auto", true)]
    [InlineData("Epoll", true)]
    [InlineData("Sockets", false)]
    public async Task An_option_chooses_the_transport(string transport, bool isEpoll)
    {
        await using var host = await EdgeHost.StartAsync(null, ("Transport", transport));
        using var client = await host.ConnectAsync();
        await client.ExpectOnlyPingResponseAsync();
        Assert.Equal(isEpoll, host.UsesEpoll);
    }

    [Fact]
    public async Task A_transport_that_does_not_exist_stops_the_start_with_a_line_that_names_it()
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => EdgeHost.StartAsync(null, ("Transport", "Pigeons")));
        Assert.Contains("Mqtt:Transport", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Pigeons", exception.Message, StringComparison.Ordinal);
        exception = await Assert.ThrowsAnyAsync<Exception>(() => EdgeHost.StartAsync(null, ("Transport", "7")));
        Assert.Equal($"Mqtt:{nameof(EdgeOptions.Transport)} is 7: it must be Auto, Epoll or Sockets.", exception.Message);
    }

    private static async Task<string> ReadAsync(PipeReader input)
    {
        var result = await input.ReadAsync().ConfigureAwait(false);
        var name = Thread.CurrentThread.Name ?? "";
        input.AdvanceTo(result.Buffer.End);
        return name;
    }
}
