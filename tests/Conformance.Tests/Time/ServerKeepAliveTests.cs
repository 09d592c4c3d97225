namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>Server Keep Alive: the server goes by its own value.</summary>
public sealed class ServerKeepAliveTests() : ClockTests($"Mqtt:MaximumKeepAlive={KeepAlive}")
{
    private const int KeepAlive = 600;

    [Theory, InlineData(0), InlineData(ushort.MaxValue)]
    [Statement(V5, "MQTT-3.1.2-22", "MQTT-3.2.2-21", "MQTT-3.2.2-22", "section 3.2.2.3.14")]
    public async Task A_client_that_asked_for_a_longer_one_is_closed_after_one_and_a_half_of_the_server_s_and_not_before(int asked)
    {
        var shorter = await ConnectSilentAsync(KeepAlive - 10);
        var (pinging, silent) = (await ConnectSilentAsync(asked), await ConnectSilentAsync(asked));
        Assert.Null(shorter.ConnAck.Properties.Number(PropertyId.ServerKeepAlive));
        Assert.Equal((uint?)KeepAlive, silent.ConnAck.Properties.Number(PropertyId.ServerKeepAlive));

        // When the shorter one is closed, the server has looked for whom this time is too long.
        Server.Clock.PassElapsed(OneAndAHalf(KeepAlive - 5));
        Assert.Equal(0x8D, (await shorter.ReceiveCloseAsync())?.Code ?? 0);
        await pinging.ExpectNothingAsync();
        Server.Clock.PassElapsed(OneAndAHalf(5) + TimeSpan.FromSeconds(1));
        Assert.Equal(0x8D, (await silent.ReceiveCloseAsync())?.Code ?? 0);
        await pinging.ExpectNothingAsync();
    }

    private static TimeSpan OneAndAHalf(int seconds) => 1.5 * TimeSpan.FromSeconds(seconds);

    private Task<Client> ConnectSilentAsync(int keepAlive) => ConnectAsync(new Connect(V5, NewClientId()) { KeepAlive = (ushort)keepAlive });
}
