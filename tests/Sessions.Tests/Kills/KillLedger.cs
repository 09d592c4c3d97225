using System.Collections.Concurrent;
using OrleansMqtt.LoadGenerator.Measuring;
using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>What was published and acknowledged, and what came of it, counted over all rounds.</summary>
internal sealed class KillLedger
{
    private readonly ConcurrentDictionary<string, PublisherEntry> _publishers = [];
    private readonly ConcurrentDictionary<(string Subscriber, string Publisher), SubscriberEntry> _subscribers = [];
    private readonly ConcurrentDictionary<string, int> _wills = [];
    private long _acknowledged;
    private int _lostSessions;

    /// <summary>PUBACK or PUBREC came.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    public int LostSessions => Volatile.Read(ref _lostSessions);

    public ConcurrentQueue<string> Violations { get; } = [];

    /// <summary>The messages of QoS 2 that came twice, and how they came.</summary>
    public ConcurrentQueue<string> Notes { get; } = [];

    public void Add(string publisher, int qos) => _publishers[publisher] = new() { QoS = qos };

    /// <summary>The subscriber gets all messages of the publisher.</summary>
    public void Add(string subscriber, string publisher) => _subscribers[(subscriber, publisher)] = new();

    /// <summary>How many the publisher has begun to send.</summary>
    public int Sent(string publisher) => _publishers[publisher].Sent;

    public int Next(string publisher) => _publishers[publisher].Sent++;

    public void OnAcknowledged() => Interlocked.Increment(ref _acknowledged);

    public void OnForgotten(string payload)
    {
        var (publisher, sequence) = Split(payload);
        lock (_publishers[publisher].Forgotten)
        {
            _publishers[publisher].Forgotten.Add(sequence);
        }
    }

    public void OnLostSession() => Interlocked.Increment(ref _lostSessions);

    /// <param name="subscriber">Whose message it is: a client, or the group of a shared subscription.</param>
    /// <param name="publish">The message.</param>
    /// <param name="clientId">Who got it.</param>
    public void OnReceived(string subscriber, IncomingPublish publish, string clientId)
    {
        var (publisher, sequence) = Split(publish.Payload);
        var entry = _subscribers[(subscriber, publisher)];
        lock (entry)
        {
            var duplicates = entry.Tracker.Duplicates;
            entry.Tracker.Receive(sequence);
            if (_publishers[publisher].QoS == 2)
            {
                var how = $"{clientId} at {DateTime.UtcNow:HH:mm:ss.fff} with identifier {publish.PacketId}{(publish.IsDuplicate ? " (DUP)" : "")}";
                if (entry.Tracker.Duplicates > duplicates)
                {
                    Notes.Enqueue($"{publish.Payload}: {entry.Deliveries[sequence]}; {how}");
                }

                entry.Deliveries[sequence] = how;
            }
        }
    }

    public void OnWill(string payload) => _wills.AddOrUpdate(payload, 1, (_, count) => count + 1);

    public int Wills(string payload) => _wills.GetValueOrDefault(payload);

    public long Published => _publishers.Values.Sum(publisher => (long)publisher.Sent);

    /// <summary>Acknowledged, or still to be sent again, and not received.</summary>
    public long Lost(string? subscriber = null)
    {
        long lost = 0;
        foreach (var ((by, of), entry) in _subscribers)
        {
            if (subscriber is null || by == subscriber)
            {
                var publisher = _publishers[of];
                lock (entry)
                {
                    lost += entry.Tracker.MissingBefore(publisher.Sent);
                    lock (publisher.Forgotten)
                    {
                        lost -= publisher.Forgotten.Count(entry.Tracker.IsMissing);
                    }
                }
            }
        }

        return lost;
    }

    /// <summary>What is counted as lost, by subscriber.</summary>
    public IEnumerable<string> Missing =>
        from entry in _subscribers
        let publisher = _publishers[entry.Key.Publisher]
        let missing = Enumerable.Range(0, publisher.Sent).Where(sequence => entry.Value.Tracker.IsMissing((uint)sequence) && !publisher.Forgotten.Contains((uint)sequence)).ToList()
        where missing.Count > 0
        select $"{entry.Key.Subscriber} misses of {entry.Key.Publisher}, which sent {publisher.Sent}: {string.Join(", ", missing)}";

    public long Received => Sum(tracker => tracker.Received, 0);

    public long Duplicates(int qos) => Sum(tracker => tracker.Duplicates, qos);

    public long OutOfOrder => Sum(tracker => tracker.OutOfOrder, 0);

    internal static (string Publisher, uint Sequence) Split(string payload)
    {
        var parts = payload.Split(' ');
        return (parts[0], uint.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    private long Sum(Func<SequenceTracker, long> count, int qos) =>
        _subscribers.Where(entry => qos == 0 || _publishers[entry.Key.Publisher].QoS == qos).Sum(entry => count(entry.Value.Tracker));

    private sealed class PublisherEntry
    {
        public int QoS { get; init; }

        public int Sent { get; set; }

        public HashSet<uint> Forgotten { get; } = [];
    }

    private sealed class SubscriberEntry
    {
        public SequenceTracker Tracker;

        public Dictionary<uint, string> Deliveries { get; } = [];
    }
}
