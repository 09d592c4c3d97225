using System.Collections.Concurrent;
using System.Diagnostics;
using MQTTnet.Protocol;
using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>
/// Publishers and subscribers on the edges of a cluster: each publisher numbers its messages, and publishes the next when the last is acknowledged; each subscriber is to get all of them,
/// once and in order, on the connection that it has.
/// </summary>
internal sealed class Traffic : IAsyncDisposable
{
    private readonly string _prefix = $"t{Guid.NewGuid():N}";
    private const string End = "end";
    private readonly List<(TestClient Client, string Name, Task<(List<string> Received, TimeSpan Gap)> Receiving)> _subscribers = [];
    private readonly List<TestClient> _publishers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task<int>> _publishing = [];
    private readonly ConcurrentQueue<TimeSpan> _waits = new();

    /// <summary>The longest time that a publish waited for its acknowledgement.</summary>
    public TimeSpan LongestWait => _waits.IsEmpty ? TimeSpan.Zero : _waits.Max();

    /// <summary>The longest time that a subscriber waited for the next message; known after the check.</summary>
    public TimeSpan LongestGap { get; private set; }

    /// <summary>Connects four subscribers for each QoS and kind of session, and a publisher, to each of the ports.</summary>
    public static async Task<Traffic> StartAsync(params int[] ports)
    {
        Traffic traffic = new();
        foreach (var port in ports)
        {
            foreach (var qos in new[] { MqttQualityOfServiceLevel.AtLeastOnce, MqttQualityOfServiceLevel.ExactlyOnce })
            {
                foreach (var expiry in new uint[] { 0, 3600 })
                {
                    for (var i = 0; i < 4; i++)
                    {
                        var name = $"{traffic._prefix}-{port}-{qos}-{expiry}-{i}";
                        var client = await TestClient.ConnectAsync(port, name, sessionExpiry: expiry);
                        await client.SubscribeAsync($"{traffic._prefix}/#", qos);
                        traffic._subscribers.Add((client, name, ReceiveAsync(client, ports.Length)));
                    }
                }
            }
        }

        for (var i = 0; i < ports.Length; i++)
        {
            var publisher = await TestClient.ConnectAsync(ports[i], $"{traffic._prefix}-publisher-{i}");
            traffic._publishers.Add(publisher);
            traffic._publishing.Add(traffic.PublishAsync(publisher, i));
        }

        return traffic;
    }

    /// <summary>Waits until that many more messages are acknowledged to each publisher.</summary>
    public async Task WaitForAsync(int messages)
    {
        var until = _waits.Count + (messages * _publishers.Count);
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(90));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (_waits.Count < until)
        {
            foreach (var ended in _publishing.Where(task => task.IsCompleted))
            {
                await ended;
            }

            await timer.WaitForNextTickAsync(timeout.Token);
        }
    }

    /// <summary>Ends publishing, and checks that every subscriber has got everything.</summary>
    /// <returns>Messages acknowledged, and deliveries.</returns>
    public async Task<(int Acknowledged, int Delivered)> CheckAsync()
    {
        await _stop.CancelAsync();
        var counts = await Task.WhenAll(_publishing);
        var delivered = 0;
        foreach (var (client, name, receiving) in _subscribers)
        {
            var (received, gap) = await receiving;
            LongestGap = gap > LongestGap ? gap : LongestGap;
            for (var i = 0; i < counts.Length; i++)
            {
                Assert.Equal(Enumerable.Range(0, counts[i]).Select(number => $"{i}:{number}"), received.Where(text => text.StartsWith($"{i}:", StringComparison.Ordinal)));
            }

            Assert.False(client.HasReceived, $"{name} got more than was published");
            Assert.False(client.Disconnected.IsCompleted, $"{name} was disconnected");
            delivered += received.Count;
        }

        return (counts.Sum(), delivered);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var client in _subscribers.Select(each => each.Client).Concat(_publishers))
        {
            await client.DisposeAsync();
        }

        _stop.Dispose();
    }

    private async Task<int> PublishAsync(TestClient publisher, int index)
    {
        await Task.Yield();
        var number = 0;
        while (!_stop.IsCancellationRequested)
        {
            var begun = Stopwatch.GetTimestamp();
            var qos = number % 2 == 0 ? MqttQualityOfServiceLevel.AtLeastOnce : MqttQualityOfServiceLevel.ExactlyOnce;
            Assert.True((await publisher.PublishAsync($"{_prefix}/{index}", $"{index}:{number}", qos)).IsSuccess);
            _waits.Enqueue(Stopwatch.GetElapsedTime(begun));
            number++;
        }

        await publisher.PublishAsync($"{_prefix}/{index}", End);
        return number;
    }

    private static async Task<(List<string> Received, TimeSpan Gap)> ReceiveAsync(TestClient client, int publishers)
    {
        await Task.Yield();
        List<string> received = [];
        var gap = TimeSpan.Zero;
        var last = 0L;
        while (publishers > 0)
        {
            var text = TestClient.TextOf(await client.ReceiveAsync());
            var now = Stopwatch.GetTimestamp();
            gap = last != 0 && Stopwatch.GetElapsedTime(last, now) is var each && each > gap ? each : gap;
            last = now;
            if (text == End)
            {
                publishers--;
            }
            else
            {
                received.Add(text);
            }
        }

        return (received, gap);
    }
}
