using System.Text;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace OrleansMqtt.Edge.Tests;

/// <summary>A client of another make.</summary>
public sealed class MqttNetClientTests
{
    [Theory]
    [InlineData(MqttProtocolVersion.V311, false)]
    [InlineData(MqttProtocolVersion.V500, false)]
    [InlineData(MqttProtocolVersion.V311, true)]
    [InlineData(MqttProtocolVersion.V500, true)]
    public async Task Subscribes_publishes_and_receives_in_order(MqttProtocolVersion version, bool webSocket)
    {
        const int Count = 1000;
        await using var host = await EdgeHost.StartAsync();
        var factory = new MqttClientFactory();
        using var subscriber = factory.CreateMqttClient();
        using var publisher = factory.CreateMqttClient();
        var received = Channel.CreateUnbounded<MqttApplicationMessage>();
        subscriber.ApplicationMessageReceivedAsync += arrived =>
        {
            received.Writer.TryWrite(arrived.ApplicationMessage);
            return Task.CompletedTask;
        };
        await subscriber.ConnectAsync(Options(host, version, webSocket, "subscriber"));
        await publisher.ConnectAsync(Options(host, version, webSocket, "publisher"));
        var subscribed = await subscriber.SubscribeAsync("telemetry/1", MqttQualityOfServiceLevel.AtLeastOnce);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, subscribed.Items.Single().ResultCode);
        for (var i = 0; i < Count; i++)
        {
            var message = new MqttApplicationMessageBuilder().WithTopic("telemetry/1").WithPayload($"{i}").WithQualityOfServiceLevel((MqttQualityOfServiceLevel)(i % 2));
            if (version == MqttProtocolVersion.V500)
            {
                message.WithUserProperty("n", Encoding.UTF8.GetBytes($"{i}")).WithContentType("text/plain").WithMessageExpiryInterval(1000);
            }

            var result = await publisher.PublishAsync(message.Build());
            Assert.True(result.IsSuccess);
        }

        using var timeout = new CancellationTokenSource(RawClient.Timeout);
        for (var i = 0; i < Count; i++)
        {
            var message = await received.Reader.ReadAsync(timeout.Token);
            Assert.Equal($"{i}", message.ConvertPayloadToString());
            Assert.Equal(i % 2, (int)message.QualityOfServiceLevel);
            if (version == MqttProtocolVersion.V500)
            {
                Assert.Equal($"{i}", Encoding.UTF8.GetString(message.UserProperties.Single().ValueBuffer.Span));
                Assert.Equal("text/plain", message.ContentType);
            }
        }

        await host.Grains.When(() => host.Grains.Acknowledgements.Count == Count / 2);
        await publisher.PingAsync();
        await subscriber.UnsubscribeAsync("telemetry/1");
        await publisher.DisconnectAsync();
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect publisher Normal"));
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311, false)]
    [InlineData(MqttProtocolVersion.V500, false)]
    [InlineData(MqttProtocolVersion.V311, true)]
    [InlineData(MqttProtocolVersion.V500, true)]
    public async Task Publishes_and_receives_QoS_2_once_and_in_order(MqttProtocolVersion version, bool isStored)
    {
        const int Count = 300;
        await using var host = await EdgeHost.StartAsync();
        host.Grains.CompletesDeliveries = true;
        using var client = new MqttClientFactory().CreateMqttClient();
        var received = Channel.CreateUnbounded<string>();
        client.ApplicationMessageReceivedAsync += arrived =>
        {
            received.Writer.TryWrite(arrived.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await client.ConnectAsync(Options(host, version, false, "c", isStored));
        var subscribed = await client.SubscribeAsync("t", MqttQualityOfServiceLevel.ExactlyOnce);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS2, subscribed.Items.Single().ResultCode);
        for (var i = 0; i < Count; i++)
        {
            var result = await client.PublishAsync(
                new MqttApplicationMessageBuilder().WithTopic("t").WithPayload($"{i}").WithQualityOfServiceLevel(MqttQualityOfServiceLevel.ExactlyOnce).Build());
            Assert.True(result.IsSuccess);
        }

        await host.Grains.When(() => host.Grains.Acknowledgements.Count(each => each.Kind == AcknowledgementKind.PubComp) == Count);
        Assert.Equal(Count, host.Grains.Published.Count);
        Assert.Equal(isStored, host.Grains.QoS2Batches.Count > 0);
        using var timeout = new CancellationTokenSource(RawClient.Timeout);
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal($"{i}", await received.Reader.ReadAsync(timeout.Token));
        }

        Assert.False(received.Reader.TryRead(out _));
    }

    private static MqttClientOptions Options(EdgeHost host, MqttProtocolVersion version, bool webSocket, string clientId, bool isStored = false)
    {
        var options = new MqttClientOptionsBuilder().WithProtocolVersion(version).WithClientId(clientId).WithTimeout(RawClient.Timeout);
        if (isStored)
        {
            _ = version == MqttProtocolVersion.V500 ? options.WithSessionExpiryInterval(3600) : options.WithCleanSession(false);
        }

        return (webSocket
            ? options.WithWebSocketServer(server => server.WithUri($"ws://127.0.0.1:{host.Port}/mqtt"))
            : options.WithTcpServer("127.0.0.1", host.Port)).Build();
    }
}
