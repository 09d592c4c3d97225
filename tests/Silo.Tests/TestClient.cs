using System.Buffers;
using System.Text;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace OrleansMqtt.Silo.Tests;

/// <summary>An MQTT client that keeps what it receives, in order.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<MqttApplicationMessage> _received = Channel.CreateUnbounded<MqttApplicationMessage>();

    private readonly TaskCompletionSource<MqttClientDisconnectedEventArgs> _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IMqttClient Client => _client;

    /// <summary>Completes when the connection has ended, with how.</summary>
    public Task<MqttClientDisconnectedEventArgs> Disconnected => _disconnected.Task;

    public bool IsSessionPresent { get; private set; }

    public static async Task<TestClient> ConnectAsync(int port, string? clientId = null, MqttProtocolVersion version = MqttProtocolVersion.V500, uint sessionExpiry = 0, bool? cleanStart = null, bool acknowledges = true, Action<MqttClientOptionsBuilder>? configure = null)
    {
        TestClient client = new();
        client._client.ApplicationMessageReceivedAsync += received =>
        {
            received.AutoAcknowledge = acknowledges;
            client._received.Writer.TryWrite(received.ApplicationMessage);
            return Task.CompletedTask;
        };
        client._client.DisconnectedAsync += ended =>
        {
            client._disconnected.TrySetResult(ended);
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", port)
            .WithClientId(clientId ?? $"c{Guid.NewGuid():N}")
            .WithProtocolVersion(version)
            .WithCleanSession(cleanStart ?? sessionExpiry == 0);
        configure?.Invoke(options);
        var result = await client._client.ConnectAsync((sessionExpiry == 0 ? options : options.WithSessionExpiryInterval(sessionExpiry)).Build());
        if (result.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new InvalidOperationException($"The server refused client '{client._client.Options.ClientId}': {result.ResultCode}, {result.ReasonString}");
        }

        client.IsSessionPresent = result.IsSessionPresent;
        return client;
    }

    public async Task<MqttClientSubscribeResult> SubscribeAsync(string filter, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce) =>
        await _client.SubscribeAsync(filter, qos);

    public Task<MqttClientPublishResult> PublishAsync(string topic, string payload, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce) =>
        _client.PublishStringAsync(topic, payload, qos);

    public async Task<MqttApplicationMessage> ReceiveAsync()
    {
        using CancellationTokenSource timeout = new(Limit);
        return await _received.Reader.ReadAsync(timeout.Token);
    }

    public async Task<List<string>> ReceiveAsync(int count)
    {
        List<string> payloads = new(count);
        for (var i = 0; i < count; i++)
        {
            payloads.Add(TextOf(await ReceiveAsync()));
        }

        return payloads;
    }

    /// <summary>Receives until a condition holds for all that this call has received.</summary>
    public async Task<List<MqttApplicationMessage>> ReceiveUntilAsync(Func<List<MqttApplicationMessage>, bool> isComplete)
    {
        List<MqttApplicationMessage> messages = [];
        while (!isComplete(messages))
        {
            messages.Add(await ReceiveAsync());
        }

        return messages;
    }

    public bool HasReceived => _received.Reader.TryPeek(out _);

    public static string TextOf(MqttApplicationMessage message) => Encoding.UTF8.GetString(message.Payload.ToArray());

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
