using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace OrleansMqtt.Edge.Tests.Transport;

/// <summary>What everything above a transport relies on. Kestrel's own transport passes it too: so it is right.</summary>
public abstract class TransportContractTests
{
    /// <summary>More than the kernel keeps for a connection and a transport may add.</summary>
    private const int Much = 48 * 1024 * 1024;

    private static readonly TimeSpan Timeout = TransportListener.Timeout;

    protected abstract IConnectionListenerFactory CreateTransport();

    private Task<TransportListener> StartAsync(IPAddress? address = null) => TransportListener.StartAsync(CreateTransport(), address);

    [Fact]
    public async Task Bytes_come_back_as_they_were_sent_in_any_chunks_and_on_many_connections()
    {
        await using var listener = await StartAsync();
        var serving = listener.ServeAsync(TransportListener.EchoAsync);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(seed => Task.Run(async () =>
        {
            Random random = new(seed);
            using var client = await listener.ConnectAsync();
            var sent = new byte[random.Next(1, 1_500_000)];
            random.NextBytes(sent);
            var receiving = ReceiveAsync(client, sent.Length);
            for (var position = 0; position < sent.Length;)
            {
                var length = Math.Min(sent.Length - position, random.Next(3) switch { 0 => random.Next(1, 20), 1 => random.Next(1, 5000), _ => random.Next(1, 200_000) });
                await SendAsync(client, sent.AsMemory(position, length));
                position += length;
            }

            ExpectSame(sent, await receiving);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Timeout));
        })));
        await listener.UnbindAsync();
        await serving;
    }

    [Fact]
    public async Task A_reader_that_does_not_read_stops_its_peer_and_gets_everything_later()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var sending = SendAsync(client, Pattern(0, Much));
        await Assert.ThrowsAsync<TimeoutException>(() => sending.WaitAsync(TimeSpan.FromSeconds(1)));
        await ExpectPatternAsync(server.Transport.Input, Much);
        await sending.WaitAsync(Timeout);
    }

    [Fact]
    public async Task A_flush_waits_for_a_peer_that_does_not_read_and_nothing_is_lost()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var output = server.Transport.Output;
        var writing = Task.Run(async () =>
        {
            Random random = new(1);
            for (var position = 0; position < Much;)
            {
                var length = Math.Min(Much - position, random.Next(1, 300_000));
                output.Write(Pattern(position, length));
                Assert.False((await output.FlushAsync()).IsCompleted);
                position += length;
            }

            await output.CompleteAsync();
        });
        await Assert.ThrowsAsync<TimeoutException>(() => writing.WaitAsync(TimeSpan.FromSeconds(1)));
        ExpectSame(Pattern(0, Much), await ReceiveAsync(client, Much));
        await writing.WaitAsync(Timeout);
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Timeout));
    }

    [Fact]
    public async Task Small_writes_through_a_socket_that_is_full_again_and_again_all_arrive()
    {
        const int Writes = 30_000;
        const int Length = 300;
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        server.Features.Get<IConnectionSocketFeature>()!.Socket.SendBufferSize = 4096;
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < Writes; i++)
            {
                server.Transport.Output.Write(Pattern(i * Length, Length));
                Assert.False((await server.Transport.Output.FlushAsync()).IsCompleted);
            }
        });
        ExpectSame(Pattern(0, Writes * Length), await ReceiveAsync(client, Writes * Length));
        await writing.WaitAsync(Timeout);
    }

    [Fact]
    public async Task A_client_that_has_closed_its_sending_side_still_gets_the_answer()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        await SendAsync(client, "question"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        var input = server.Transport.Input;
        ReadResult result;
        while (!(result = await input.ReadAsync().AsTask().WaitAsync(Timeout)).IsCompleted)
        {
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }

        Assert.Equal("question"u8.ToArray(), result.Buffer.ToArray());
        input.AdvanceTo(result.Buffer.End);
        await WhenCancelledAsync(server.ConnectionClosed);
        await server.Transport.Output.WriteAsync("answer"u8.ToArray());
        await server.Transport.Output.CompleteAsync();
        Assert.Equal("answer"u8.ToArray(), await ReceiveAsync(client, 6));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Timeout));
    }

    [Fact]
    public async Task What_was_written_and_not_flushed_leaves_when_the_output_is_completed()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        server.Transport.Output.Write(Pattern(0, 200_000));
        await server.Transport.Output.CompleteAsync();
        ExpectSame(Pattern(0, 200_000), await ReceiveAsync(client, 200_000));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Timeout));
        Assert.Throws<InvalidOperationException>(() => server.Transport.Output.GetSpan(1).Length);
    }

    [Fact]
    public async Task A_disposed_connection_is_closed_for_its_client_too()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        await server.DisposeAsync().AsTask().WaitAsync(Timeout);
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Timeout));
    }

    [Fact]
    public async Task An_abort_resets_the_connection_and_ends_the_pending_read()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var reading = server.Transport.Input.ReadAsync().AsTask();
        server.Abort(new ConnectionAbortedException("enough"));
        Assert.Equal("enough", (await Assert.ThrowsAsync<ConnectionAbortedException>(() => reading.WaitAsync(Timeout))).Message);
        Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => client.ReceiveAsync(new byte[1]).WaitAsync(Timeout))).SocketErrorCode);
        await WhenCancelledAsync(server.ConnectionClosed);
        Assert.True((await server.Transport.Output.WriteAsync(new byte[1]).AsTask().WaitAsync(Timeout)).IsCompleted);
    }

    [Fact]
    public async Task An_abort_ends_a_flush_that_waits()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var writing = WriteUntilCompletedAsync(server.Transport.Output);
        await Assert.ThrowsAsync<TimeoutException>(() => writing.WaitAsync(TimeSpan.FromSeconds(0.5)));
        server.Abort();
        await writing.WaitAsync(Timeout);
        await server.DisposeAsync().AsTask().WaitAsync(Timeout);
    }

    [Fact]
    public async Task A_reset_by_the_client_ends_reading_and_writing()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        var reading = server.Transport.Input.ReadAsync().AsTask();
        client.Close(timeout: 0);
        await Assert.ThrowsAsync<ConnectionResetException>(() => reading.WaitAsync(Timeout));
        await WhenCancelledAsync(server.ConnectionClosed);
        await WriteUntilCompletedAsync(server.Transport.Output).WaitAsync(Timeout);
        await server.DisposeAsync().AsTask().WaitAsync(Timeout);
    }

    [Fact]
    public async Task A_client_that_goes_away_while_a_flush_waits_ends_it()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        var writing = WriteUntilCompletedAsync(server.Transport.Output);
        await Assert.ThrowsAsync<TimeoutException>(() => writing.WaitAsync(TimeSpan.FromSeconds(0.5)));
        client.Close(timeout: 0);
        await writing.WaitAsync(Timeout);
    }

    [Fact]
    public async Task A_flush_that_waits_can_be_cancelled_and_its_bytes_leave_all_the_same()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var output = server.Transport.Output;
        output.CancelPendingFlush();
        Assert.True((await output.FlushAsync()).IsCanceled);
        output.Write(Pattern(0, Much));
        var flush = output.FlushAsync().AsTask();
        Assert.False(flush.IsCompleted);
        output.CancelPendingFlush();
        Assert.True((await flush.WaitAsync(Timeout)).IsCanceled);
        output.Write("end"u8);
        using CancellationTokenSource source = new();
        flush = output.FlushAsync(source.Token).AsTask();
        Assert.False(flush.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.WaitAsync(Timeout));
        var received = await ReceiveAsync(client, Much + 3);
        Assert.True(Pattern(0, Much).AsSpan().SequenceEqual(received.AsSpan(0, Much)));
        Assert.Equal("end"u8.ToArray(), received[Much..]);
    }

    [Fact]
    public async Task A_pending_read_can_be_cancelled_and_reading_goes_on()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var input = server.Transport.Input;
        var reading = input.ReadAsync().AsTask();
        input.CancelPendingRead();
        var result = await reading.WaitAsync(Timeout);
        Assert.True(result.IsCanceled);
        input.AdvanceTo(result.Buffer.End);
        await SendAsync(client, Pattern(0, 10));
        await ExpectPatternAsync(input, 10);
    }

    [Fact]
    public async Task A_completed_reader_lets_the_connection_be_written_on()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        await server.Transport.Input.CompleteAsync();
        await server.Transport.Output.WriteAsync(Pattern(0, 100));
        await ReceiveAsync(client, 100);
        await SendAsync(client, Pattern(0, 100));
        await WhenCancelledAsync(server.ConnectionClosed);
        await server.Transport.Output.WriteAsync(Pattern(0, 100));
        await ReceiveAsync(client, 100);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1", "::1")]
    [InlineData("::", "127.0.0.1", "::ffff:127.0.0.1")]
    [InlineData("::", "::1", "::1")]
    public async Task A_connection_tells_its_end_points(string bound, string target, string seen)
    {
        await using var listener = await StartAsync(IPAddress.Parse(bound));
        Assert.NotEqual(0, listener.EndPoint.Port);
        using var client = await listener.ConnectAsync(IPAddress.Parse(target));
        var server = (await listener.AcceptAsync())!;
        Assert.Equal(new IPEndPoint(IPAddress.Parse(seen), listener.EndPoint.Port), server.LocalEndPoint);
        Assert.Equal(new IPEndPoint(IPAddress.Parse(seen), ((IPEndPoint)client.LocalEndPoint!).Port), server.RemoteEndPoint);
        Assert.NotNull(server.Features.Get<IConnectionSocketFeature>()?.Socket);
        Assert.NotEmpty(server.ConnectionId);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_refused()
    {
        await using var listener = await StartAsync();
        var other = CreateTransport();
        await Assert.ThrowsAsync<AddressInUseException>(() => other.BindAsync(listener.EndPoint).AsTask());
        (other as IDisposable)?.Dispose();
    }

    [Fact]
    public async Task Connections_that_open_and_close_at_once_get_their_own_bytes_only()
    {
        const int Count = 1000;
        await using var listener = await StartAsync();
        var serving = listener.ServeAsync(TransportListener.EchoAsync);
        await Parallel.ForEachAsync(Enumerable.Range(0, Count), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (number, cancellation) =>
        {
            using var client = await listener.ConnectAsync();
            switch (number % 4)
            {
                case 0:
                    // Gone before it is served; its number is the next one's.
                    client.Close(timeout: 0);
                    return;
                case 1:
                    await SendAsync(client, BitConverter.GetBytes(number));
                    client.Close(timeout: 0);
                    return;
                default:
                    var sent = Pattern(number, 3000);
                    await SendAsync(client, sent);
                    Assert.Equal(sent, await ReceiveAsync(client, sent.Length));
                    client.Shutdown(SocketShutdown.Send);
                    Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Timeout, cancellation));
                    return;
            }
        });
        await listener.UnbindAsync();
        await serving;
    }

    [Fact]
    public async Task A_closed_port_accepts_nobody_and_keeps_its_connections()
    {
        await using var listener = await StartAsync();
        var (client, server) = await listener.OpenAsync();
        using var _ = client;
        var accepting = listener.AcceptAsync();
        await listener.UnbindAsync();
        Assert.Null(await accepting);
        await Assert.ThrowsAsync<SocketException>(() => listener.ConnectAsync());
        await SendAsync(client, Pattern(0, 10));
        await ExpectPatternAsync(server.Transport.Input, 10);
    }

    [Fact]
    public async Task A_busy_transport_stops_when_its_connections_are_aborted()
    {
        await using var listener = await StartAsync();
        List<(Socket Client, ConnectionContext Server, Task Serving)> all = [];
        for (var i = 0; i < 20; i++)
        {
            var (client, server) = await listener.OpenAsync();
            all.Add((client, server, Task.Run(() => TransportListener.EchoAsync(server))));
        }

        var clients = all.Select(each => Task.Run(async () =>
        {
            var buffer = Pattern(0, 10_000);
            try
            {
                while (true)
                {
                    await SendAsync(each.Client, buffer);
                    await ReceiveAsync(each.Client, buffer.Length);
                }
            }
            catch (Exception exception) when (exception is SocketException or EndOfStreamException)
            {
                // Stopped.
            }
        })).ToArray();
        await listener.UnbindAsync();
        foreach (var (_, server, _) in all)
        {
            server.Abort();
        }

        await Task.WhenAll(all.Select(each => each.Serving)).WaitAsync(Timeout);
        await Task.WhenAll(all.Select(each => each.Server.DisposeAsync().AsTask())).WaitAsync(Timeout);
        await Task.WhenAll(clients).WaitAsync(Timeout);
        all.ForEach(static each => each.Client.Dispose());
    }

    private static byte[] Pattern(int start, int length)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        for (var i = 0; i < length; i++)
        {
            bytes[i] = (byte)((start + i) * 31 % 251);
        }

        return bytes;
    }

    /// <summary>Quick for millions of bytes.</summary>
    private static void ExpectSame(byte[] expected, byte[] actual) => Assert.True(expected.AsSpan().SequenceEqual(actual));

    private static async Task ExpectPatternAsync(PipeReader input, int length)
    {
        var position = 0;
        while (position < length)
        {
            var result = await input.ReadAsync().AsTask().WaitAsync(Timeout);
            foreach (var segment in result.Buffer)
            {
                Assert.True(Pattern(position, segment.Length).AsSpan().SequenceEqual(segment.Span));
                position += segment.Length;
            }

            input.AdvanceTo(result.Buffer.End);
            Assert.True(!result.IsCompleted || position == length);
        }
    }

    private static async Task WriteUntilCompletedAsync(PipeWriter output)
    {
        await Task.Yield();
        var bytes = Pattern(0, 100_000);
        while (!(await output.WriteAsync(bytes)).IsCompleted)
        {
        }
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int length)
    {
        var bytes = new byte[length];
        for (var position = 0; position < length;)
        {
            var received = await socket.ReceiveAsync(bytes.AsMemory(position)).AsTask().WaitAsync(Timeout);
            position += received > 0 ? received : throw new EndOfStreamException($"The server closed after {position} of {length} bytes.");
        }

        return bytes;
    }

    private static async Task WhenCancelledAsync(CancellationToken token)
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(() => cancelled.TrySetResult());
        await cancelled.Task.WaitAsync(Timeout, CancellationToken.None);
    }
}
