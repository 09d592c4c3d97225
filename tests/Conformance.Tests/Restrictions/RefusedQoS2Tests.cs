namespace OrleansMqtt.Conformance.Tests.Restrictions;

/// <summary>Messages of QoS 2 that a server refuses because their payload is not what their Payload Format Indicator says.</summary>
public sealed class RefusedQoS2Tests
{
    [Theory, InlineData(null), InlineData(40)]
    [Statement(V5, "MQTT-4.3.3-9", "MQTT-3.5.2-1", "MQTT-3.5.2-2", "section 3.3.2.3.2", "MQTT-3.5.2-3")]
    public async Task After_an_error_in_PUBREC_the_same_packet_identifier_is_a_new_message(int? maximumPacketSize)
    {
        ConformanceServer.RequireOwn();
        await using var server = await RestartableServer.StartAsync(("Mqtt__ValidatePayloadFormat", "true"));
        Connect connect = new(V5, "publisher");
        using var client = await server.ConnectAsync(maximumPacketSize is { } size ? connect.With(PropertyId.MaximumPacketSize, size) : connect);
        using var subscriber = await server.ConnectAsync(new(V5, "subscriber"));
        await subscriber.SubscribeAsync("t", 2);
        var message = new Publish("t", "x") { QoS = 2, PacketId = 5, Properties = new() { { PropertyId.PayloadFormat, 1 } } }.Encode(V5);
        byte[] broken = [.. message[..^1], 0xFF];
        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync(broken);
            var refused = await client.ReceiveAsync<PubRec>();
            Assert.Equal((5, 0x99), ((int)refused.PacketId, (int)refused.Code));
            Assert.Equal(maximumPacketSize is null, refused.Properties.Text(PropertyId.ReasonString) is not null);
            Assert.True(refused.Size <= (maximumPacketSize ?? int.MaxValue), $"{refused} has {refused.Size} bytes.");
        }

        await client.SendAsync(message);
        Assert.Equal((5, 0), ((int)(await client.ReceiveAsync<PubRec>()).PacketId, 0));
        await client.SendAsync(new PubRel(5).Encode());
        Assert.Equal((5, (byte)0), await client.ReceiveAsync<PubComp>() is { } completed ? (completed.PacketId, completed.Code) : default);
        Assert.Equal("x", await subscriber.ReceiveTextAsync());
    }
}
