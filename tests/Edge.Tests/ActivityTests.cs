using System.Collections.Concurrent;
using System.Diagnostics;
using OrleansMqtt.Edge.Diagnostics;

namespace OrleansMqtt.Edge.Tests;

/// <summary>The activities of the source <c>OrleansMqtt.Edge</c>. The source is the program's: each test has topics of its own.</summary>
public sealed class ActivityTests
{
    [Fact]
    public async Task Publishes_handed_over_together_are_one_activity_with_their_topic_and_number()
    {
        var topic = $"t/{Guid.NewGuid():N}";
        using var activities = new Activities(topic);
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(1, 3).Select(id => RawClient.PublishPacket(topic, "x", 5, id))));
        for (var id = 1; id <= 3; id++)
        {
            Assert.Equal($"4002{id:X4}", await client.ReceivePacketAsync());
        }

        // The acknowledgement of the last publish can be on its way before the activity is over.
        await activities.WaitForMessagesAsync(3);
        Assert.Equal(3, activities.Stopped.Sum(activity => (int)activity.GetTagItem("messaging.batch.message_count")!));
        Assert.All(activities.Stopped, activity => Assert.Equal(("mqtt publish", ActivityStatusCode.Unset), (activity.OperationName, activity.Status)));
    }

    [Fact]
    public async Task A_publish_that_no_grain_takes_is_an_activity_with_an_error()
    {
        var topic = $"t/{Guid.NewGuid():N}";
        using var activities = new Activities(topic);
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        host.Grains.Failure = new TimeoutException("no silo answers");
        await client.SendAsync(RawClient.PublishPacket(topic, "x", 5, 1));
        await client.ReceiveUntilClosedAsync();
        await activities.WaitForMessagesAsync(1);

        var activity = Assert.Single(activities.Stopped);
        Assert.Equal((ActivityStatusCode.Error, "no silo answers"), (activity.Status, activity.StatusDescription));
    }

    /// <summary>Keeps the activities about one topic that are over.</summary>
    private sealed class Activities : IDisposable
    {
        private readonly ActivityListener _listener;
        private readonly SemaphoreSlim _stopped = new(0);

        public Activities(string topic)
        {
            _listener = new()
            {
                ShouldListenTo = source => source.Name == EdgeMetrics.Name,
                Sample = (ref _) => ActivitySamplingResult.AllData,
                ActivityStopped = activity =>
                {
                    if (topic.Equals(activity.GetTagItem("messaging.destination.name")))
                    {
                        Stopped.Enqueue(activity);
                        _stopped.Release();
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentQueue<Activity> Stopped { get; } = [];

        public async Task WaitForMessagesAsync(int count)
        {
            while (Stopped.Sum(activity => (int)activity.GetTagItem("messaging.batch.message_count")!) < count)
            {
                Assert.True(await _stopped.WaitAsync(TimeSpan.FromSeconds(30)), $"fewer than {count} messages in activities");
            }
        }

        public void Dispose()
        {
            _listener.Dispose();
            _stopped.Dispose();
        }
    }
}
