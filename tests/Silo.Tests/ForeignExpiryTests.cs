using System.Buffers.Binary;
using System.Text;
using Confluent.Kafka;
using MQTTnet;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Another program has written messages that expire: their time counts from the timestamps of their records.</summary>
public sealed class ForeignExpiryTests
{
    private const string Topic = "plant/line";
    private const uint Age = 100;

    // Written together, in this order, and 100 seconds old; an expiry of 0: none.
    private static readonly (string Payload, int Expiry)[] Written = [("expired", 60), ("living", 1000), ("just expired", (int)Age), ("staying", 0)];

    [Fact]
    public async Task The_rest_of_it_goes_to_subscribers_and_what_has_expired_goes_to_none_whether_they_are_connected_or_away()
    {
        using var log = await TestLog.CreateAsync("Kafka");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await LeaveAsync(server);
        await using var connected = await TestClient.ConnectAsync(server.Port);
        await connected.SubscribeAsync(Topic);

        var timestamp = Now - (Age * 1000);
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = log.Settings["Log__Kafka__BootstrapServers"] }).Build();
        foreach (var (payload, expiry) in Written)
        {
            Headers headers = [];
            foreach (var header in HeadersOf(expiry))
            {
                headers.Add(header.Name, header.Value!.Value.ToArray());
            }

            await producer.ProduceAsync(log.MessagesTopic, new() { Key = Topic, Value = payload, Headers = headers, Timestamp = new(timestamp, TimestampType.CreateTime) });
        }

        await ExpectLivingAsync(connected, timestamp);
        await ExpectLivingAsync(await ReturnAsync(server), timestamp);
    }

    [Theory, InlineData("Embedded"), InlineData("Kafka")]
    public async Task It_counts_as_well_for_what_was_written_while_no_server_ran(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        log.Settings["Topics__Messages__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await LeaveAsync(server);
        await server.DisposeAsync();

        var timestamp = Now - (Age * 1000);
        await log.AppendAsync(log.MessagesTopic, [.. Written.Select(each => new LogRecord
        {
            Key = Encoding.UTF8.GetBytes(Topic),
            Value = Encoding.UTF8.GetBytes(each.Payload),
            Headers = HeadersOf(each.Expiry),
            TimestampMilliseconds = timestamp,
        })]);

        await server.StartAgainAsync();
        await ExpectLivingAsync(await ReturnAsync(server), timestamp);
    }

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private static async Task LeaveAsync(MqttServer server)
    {
        await using var client = await TestClient.ConnectAsync(server.Port, "away", sessionExpiry: 3600);
        await client.SubscribeAsync(Topic);
        await client.Client.DisconnectAsync();
    }

    private static async Task<TestClient> ReturnAsync(MqttServer server)
    {
        var client = await TestClient.ConnectAsync(server.Port, "away", sessionExpiry: 3600);
        Assert.True(client.IsSessionPresent);
        return client;
    }

    private static async Task ExpectLivingAsync(TestClient client, long timestamp)
    {
        await using var ending = client;
        var living = await client.ReceiveAsync();
        Assert.Equal("living", TestClient.TextOf(living));

        // Sent at some moment between the record and now, and rounded.
        var least = 1000 - ((Now - timestamp) / 1000) - 1;
        Assert.InRange(living.MessageExpiryInterval, least, 1000 - Age);
        var staying = await client.ReceiveAsync();
        Assert.Equal(("staying", 0u), (TestClient.TextOf(staying), staying.MessageExpiryInterval));
    }

    private static LogHeader[] HeadersOf(int expiry)
    {
        if (expiry == 0)
        {
            return [];
        }

        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, expiry);
        return [new("zilla:expiry", bytes)];
    }
}
