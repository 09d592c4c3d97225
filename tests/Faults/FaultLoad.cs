using System.Collections.Concurrent;

namespace OrleansMqtt.Faults;

/// <summary>The clients of a run: publishers and subscribers with sessions that last at QoS 1 and 2, and subscribers without, on all edges. A client whose connection ends goes on at any edge.</summary>
internal sealed class FaultLoad : IDisposable
{
    private const int PublishersOfEachQoS = 4;
    private const int SubscribersOfEachQoS = 2;
    private const int Window = 20;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);
    private readonly EdgePorts _ports;
    private readonly List<SessionClient> _publishers = [];
    private readonly List<SessionClient> _subscribers = [];
    private readonly List<(SessionClient Client, CleanObserver Observer)> _clean = [];
    private readonly Dictionary<SessionClient, ServiceGauge> _gauges = [];
    private readonly ConcurrentDictionary<SessionClient, bool> _ready = [];

    // The number by which a client chooses its edge, and the edge where it is.
    private readonly ConcurrentDictionary<SessionClient, (int Number, int Port)> _places = [];
    private List<Task> _tasks = [];
    private volatile bool _isPaused = true;
    private volatile bool _isOver;

    public FaultLoad(EdgePorts ports)
    {
        _ports = ports;
        for (var qos = 1; qos <= 2; qos++)
        {
            var ids = Enumerable.Range(0, PublishersOfEachQoS).Select(i => $"{Prefix}-p{qos}-{i}").ToList();
            for (var i = 0; i < PublishersOfEachQoS; i++)
            {
                Ledger.Add(ids[i], qos);
                _publishers.Add(NewClient(ids[i], i + qos));
            }

            for (var i = 0; i < SubscribersOfEachQoS; i++)
            {
                var subscriber = NewClient($"{Prefix}-s{qos}-{i}", i + qos);
                _subscribers.Add(subscriber);
                ids.ForEach(publisher => Ledger.Add(subscriber.ClientId, publisher));
                ServiceGauge gauge = new();
                CleanObserver observer = new($"{Prefix}-c{qos}-{i}", ids, qos, Ledger, gauge);
                SessionClient clean = new($"{Prefix}-c{qos}-{i}", (i + qos) % 2 == 0 ? 4 : 5, observer) { AnswersItself = true };
                _clean.Add((clean, observer));
                _gauges[clean] = gauge;
            }
        }

        Slow = NewClient($"{Prefix}-s1-slow", 0);
        _publishers.Take(PublishersOfEachQoS).ToList().ForEach(publisher => Ledger.Add(Slow.ClientId, publisher.ClientId));
        Watcher = NewClient($"{Prefix}-watcher", 0);
    }

    public string Prefix { get; } = $"{Guid.NewGuid():N}"[..8];

    public KillLedger Ledger { get; } = new();

    /// <summary>A subscriber that a fault may keep from acknowledging.</summary>
    public SessionClient Slow { get; }

    private SessionClient Watcher { get; }

    public long Lost => Ledger.Lost() + _clean.Sum(entry => entry.Observer.Lost + entry.Observer.Missing);

    public long Duplicates => Ledger.Duplicates(2) + _clean.Sum(entry => entry.Observer.Duplicates);

    /// <summary>The longest pauses since <see cref="RestartGauges"/>.</summary>
    public (TimeSpan Publishing, TimeSpan Delivery) Pauses => (_publishers.Max(client => _gauges[client].Longest), Receivers.Max(client => _gauges[client].Longest));

    /// <summary>Connections that the server ended, since the beginning.</summary>
    public int Closed => _gauges.Values.Sum(gauge => gauge.Closed);

    /// <summary>Who had the longest pauses since then, and until when.</summary>
    public string DescribePauses() => string.Join(", ", _publishers.Concat(Receivers).OrderByDescending(client => _gauges[client].Longest).Take(8)
        .Select(client => $"{client.ClientId} {_gauges[client].Longest.TotalSeconds:F1} s until {_gauges[client].LongestEnd:HH:mm:ss.f}"));

    private IEnumerable<SessionClient> Receivers => _subscribers.Concat(_clean.Select(entry => entry.Client));

    public async Task StartAsync(TimeSpan limit)
    {
        _tasks = [.. _subscribers.Append(Slow).Select((client, number) => SubscribeAsync(client, number, $"{Prefix}/{QoSOf(client)}/+", QoSOf(client), isClean: false)),
            SubscribeAsync(Watcher, 0, $"{Prefix}/will/+", 2, isClean: false),
            .. _clean.Select((entry, number) => SubscribeAsync(entry.Client, number, $"{Prefix}/{QoSOf(entry.Client)}/+", QoSOf(entry.Client), isClean: true))];
        await WaitAsync(() => Receivers.Append(Slow).Append(Watcher).All(client => client.IsConnected && !client.HasRequests && _ready.ContainsKey(client)), limit);
        _tasks.AddRange(_publishers.Select(PublishAsync));
    }

    public void Resume()
    {
        RestartGauges();
        _isPaused = false;
    }

    public void RestartGauges() => _gauges.Values.ToList().ForEach(gauge => gauge.Restart());

    /// <summary>How many clients are connected there.</summary>
    public int CountAt(int port) => _places.Count(place => place.Value.Port == port && place.Key.IsConnected);

    /// <summary>Brings the clients back to their edges: a fault of an edge has left all to the others. To be called when everything has arrived.</summary>
    public async Task<bool> SpreadAsync(TimeSpan limit)
    {
        foreach (var (client, place) in _places.Where(entry => _ports.Take(entry.Value.Number) != entry.Value.Port))
        {
            if (_clean.Exists(entry => entry.Client == client))
            {
                _ready.TryRemove(client, out _);
            }

            client.Drop(isReset: false);
        }

        return await WaitAsync(() => _places.All(entry => entry.Key.IsConnected && _ports.Take(entry.Value.Number) == entry.Value.Port) && Receivers.All(_ready.ContainsKey), limit);
    }

    /// <summary>All clients are served after a moment.</summary>
    public Task<bool> WaitForServiceAsync(long moment, TimeSpan limit) =>
        WaitAsync(() => _publishers.Concat(Receivers).All(client => _gauges[client].IsServedSince(moment)), limit);

    /// <summary>Who was not served after a moment.</summary>
    public string WithoutService(long moment) => string.Join(", ", _publishers.Concat(Receivers).Where(client => !_gauges[client].IsServedSince(moment))
        .Select(client => $"{client.ClientId} (connected {client.IsConnected}, outgoing {client.Outgoing})"));

    /// <summary>How the clients are that may wait for something.</summary>
    public string Describe() => string.Join(", ", Receivers.Append(Slow).Append(Watcher).Select(client => $"{client.ClientId} (connected {client.IsConnected}, missing {Missing(client)})"));

    /// <summary>Publishes nothing more, and waits until everything has arrived.</summary>
    public async Task<bool> SettleAsync(TimeSpan limit)
    {
        _isPaused = true;
        return await WaitAsync(() => _publishers.TrueForAll(client => client.Outgoing == 0) && Lost == 0, limit);
    }

    public static async Task<bool> WaitAsync(Func<bool> condition, TimeSpan limit)
    {
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(Tick);
        while (!condition())
        {
            if (System.Diagnostics.Stopwatch.GetElapsedTime(start) > limit)
            {
                return false;
            }

            await timer.WaitForNextTickAsync();
        }

        return true;
    }

    public async Task StopAsync()
    {
        _isOver = true;
        foreach (var client in _publishers.Concat(Receivers).Append(Slow).Append(Watcher))
        {
            client.Drop(isReset: false);
        }

        await Task.WhenAll(_tasks).WaitAsync(TimeSpan.FromSeconds(60));
    }

    public void Dispose()
    {
        _isOver = true;
        _publishers.Concat(Receivers).Append(Slow).Append(Watcher).ToList().ForEach(client => client.Dispose());
    }

    private long Missing(SessionClient client) =>
        _clean.Find(entry => entry.Client == client).Observer is { } observer ? observer.Missing + observer.Lost : Ledger.Lost(client.ClientId);

    private int QoSOf(SessionClient client) => client.ClientId[Prefix.Length + 2] - '0';

    private SessionClient NewClient(string clientId, int number)
    {
        ServiceGauge gauge = new();
        SessionClient client = new(clientId, number % 2 == 0 ? 5 : 4, new LoadObserver(clientId, Ledger, gauge)) { AnswersItself = true };
        _gauges[client] = gauge;
        return client;
    }

    private async Task ConnectAsync(SessionClient client, int number, bool isClean)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        for (var attempt = 0; !client.IsConnected && !_isOver; attempt++)
        {
            if (_ports.Take(number + attempt) is not 0 and var port)
            {
                try
                {
                    await client.ConnectAsync(port, isClean, isClean ? null : 3600, limit: ConnectLimit);
                    _places[client] = (number, port);
                    return;
                }
                catch (IOException)
                {
                    // The next edge then.
                }
            }

            await timer.WaitForNextTickAsync();
        }
    }

    private async Task SubscribeAsync(SessionClient client, int number, string filter, int qos, bool isClean)
    {
        while (!_isOver)
        {
            await ConnectAsync(client, number, isClean);
            if (isClean || !_ready.ContainsKey(client))
            {
                client.Subscribe(filter, qos);
                await client.WaitAsync(() => !client.IsConnected || !client.HasRequests, SessionClient.Limit);
                if (client.IsConnected)
                {
                    _ready[client] = true;
                }
            }

            while (client.IsConnected && !_isOver)
            {
                await client.WaitAsync(() => !client.IsConnected || _isOver, TimeSpan.FromSeconds(1));
            }
        }
    }

    private async Task PublishAsync(SessionClient client, int number)
    {
        var topic = $"{Prefix}/{QoSOf(client)}/{client.ClientId}";
        string? payload = null;
        using PeriodicTimer timer = new(Tick);
        while (!_isOver)
        {
            await ConnectAsync(client, number, isClean: false);
            if (payload is not null || (!_isPaused && client.Outgoing < Math.Min(Window, client.SendQuota)))
            {
                // What the client could not take is the next one still, so that the sequence has no hole.
                payload ??= $"{client.ClientId} {Ledger.Next(client.ClientId)}";
                payload = client.Publish(topic, payload, QoSOf(client)) is null ? payload : null;
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
