using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using MQTTnet.Formatter;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>The sessions topic is as large as the sessions that live, however much has happened to them: Kafka's compaction removes the rest.</summary>
public sealed class SessionsTopicSizeTests
{
    private const int Partitions = 2;
    private const int Living = 40;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Ten_times_the_history_leaves_a_sessions_topic_of_the_same_size()
    {
        await using var kafka = await KafkaBroker.StartOwnAsync(properties: "log.cleaner.backoff.ms=200");
        var topics = $"size-{Guid.NewGuid():N}";
        await CreateAsync(kafka, $"{topics}-sessions");
        await using var server = await MqttServer.StartAsync(new()
        {
            ["Log__Kafka__BootstrapServers"] = kafka.BootstrapServers,
            ["Topics__Messages__Name"] = $"{topics}-messages",
            ["Topics__Retained__Name"] = $"{topics}-retained",
            ["Topics__Sessions__Name"] = $"{topics}-sessions",
            ["Topics__Sessions__Partitions"] = $"{Partitions}",
        });

        await LiveAsync(server.Port, rounds: 2);
        var few = await SettleAsync(kafka, $"{topics}-sessions");
        await LiveAsync(server.Port, rounds: 20);
        var many = await SettleAsync(kafka, $"{topics}-sessions");

        TestContext.Current.TestOutputHelper!.WriteLine($"records of {Living} living sessions: {few} after 2 rounds, {many} after 22, of {await EndAsync(kafka, $"{topics}-sessions")} that were written");
        Assert.InRange(few, Living, 12 * Living);
        Assert.InRange(many, Living, few + (2 * Living));
    }

    /// <summary>Sessions that stay come, subscribe, get something and go; and as many others come to an end.</summary>
    private static async Task LiveAsync(int port, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, Living).Select(async i =>
            {
                await using (var client = await TestClient.ConnectAsync(port, $"living-{i}", MqttProtocolVersion.V500, sessionExpiry: 3600))
                {
                    await client.SubscribeAsync($"to/{i}/+");
                    await client.PublishAsync($"to/{i}/x", "1");
                    await client.ReceiveAsync();
                }

                await using (var passing = await TestClient.ConnectAsync(port, $"passing-{round}-{i}", MqttProtocolVersion.V500, sessionExpiry: 3600))
                {
                    await passing.SubscribeAsync($"passing/{i}");
                }

                // Clean Start ends the session, and the next one ends with its connection.
                await using var last = await TestClient.ConnectAsync(port, $"passing-{round}-{i}");
            }));
        }
    }

    /// <summary>How many records there are when compaction has nothing more to do.</summary>
    private static async Task<int> SettleAsync(KafkaBroker kafka, string topic)
    {
        var start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        var (least, unchanged) = (int.MaxValue, 0);
        while (unchanged < 8 && Stopwatch.GetElapsedTime(start) < Limit)
        {
            // What lies in the last segment is not compacted: a record behind it begins the next one. Of a key that nobody knows, it is nobody's session.
            await AppendAsync(kafka, topic);
            var count = await CountAsync(kafka, topic);
            (least, unchanged) = count < least ? (count, 0) : (least, unchanged + 1);
            await timer.WaitForNextTickAsync();
        }

        return least;
    }

    private static async Task CreateAsync(KafkaBroker kafka, string topic)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.BootstrapServers }).Build();
        Dictionary<string, string> configs = new()
        {
            ["cleanup.policy"] = "compact",
            ["segment.ms"] = "500",
            ["min.cleanable.dirty.ratio"] = "0.01",
            ["delete.retention.ms"] = "1000",
        };
        await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = Partitions, ReplicationFactor = 1, Configs = configs }]);
    }

    private static async Task AppendAsync(KafkaBroker kafka, string topic)
    {
        using var producer = new ProducerBuilder<byte[], byte[]?>(new ProducerConfig { BootstrapServers = kafka.BootstrapServers }).Build();
        for (var partition = 0; partition < Partitions; partition++)
        {
            await producer.ProduceAsync(new TopicPartition(topic, partition), new() { Key = "roll\0r"u8.ToArray(), Value = null });
        }
    }

    private static async Task<int> CountAsync(KafkaBroker kafka, string topic)
    {
        var count = 0;
        await ReadAsync(kafka, topic, _ => count++);
        return count;
    }

    private static async Task<long> EndAsync(KafkaBroker kafka, string topic)
    {
        var ends = new long[Partitions];
        await ReadAsync(kafka, topic, result => ends[result.Partition.Value] = result.Offset.Value + 1);
        return ends.Sum();
    }

    private static Task ReadAsync(KafkaBroker kafka, string topic, Action<ConsumeResult<byte[], byte[]?>> found) => Task.Run(() =>
    {
        ConsumerConfig config = new() { BootstrapServers = kafka.BootstrapServers, GroupId = "size", EnableAutoCommit = false, EnablePartitionEof = true };
        using var consumer = new ConsumerBuilder<byte[], byte[]?>(config).Build();
        consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (var ends = 0; ends < Partitions;)
        {
            var result = consumer.Consume(Limit) ?? throw new TimeoutException($"{topic} could not be read.");
            if (result.IsPartitionEOF)
            {
                ends++;
            }
            else
            {
                found(result);
            }
        }
    });
}
