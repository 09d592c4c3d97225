using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>
/// Publishers and subscribers with sessions that last, at QoS 1 and 2, under a load that does not stop, while the server is killed at random moments; and clients whose wills
/// the kills set free.
/// </summary>
internal sealed class KillRounds : IDisposable
{
    private const int PublishersOfEachQoS = 4;
    private const int SubscribersOfEachQoS = 2;
    private const int Window = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _prefix = $"{Guid.NewGuid():N}"[..8];
    private readonly IServerUnderTest _server;
    private readonly Random _random;
    private readonly TimeSpan _limit;
    private readonly List<SessionClient> _publishers = [];
    private readonly List<SessionClient> _subscribers = [];
    private readonly List<WillClient> _wills = [];
    private readonly SessionClient _watcher;
    private TaskCompletionSource _up = new();
    private volatile bool _isStopping;
    private volatile bool _isOver;
    private int _rounds;
    private int _willsExpected;
    private int _willsMissing;
    private int _willsDouble;
    private int _willsWrong;

    public KillRounds(IServerUnderTest server, int seed, TimeSpan? limit = null)
    {
        (_server, _random, _limit) = (server, new(seed), limit ?? Limit);
        _up.SetResult();
        for (var qos = 1; qos <= 2; qos++)
        {
            for (var i = 0; i < PublishersOfEachQoS; i++)
            {
                _publishers.Add(NewClient($"p{qos}-{i}", i));
                Ledger.Add($"{_prefix}-p{qos}-{i}", qos);
            }

            for (var i = 0; i < SubscribersOfEachQoS; i++)
            {
                var subscriber = NewClient($"s{qos}-{i}", i);
                subscriber.AnswersItself = true;
                _subscribers.Add(subscriber);
                for (var publisher = 0; publisher < PublishersOfEachQoS; publisher++)
                {
                    Ledger.Add(subscriber.ClientId, $"{_prefix}-p{qos}-{publisher}");
                }
            }
        }

        _publishers.ForEach(publisher => publisher.AnswersItself = true);
        _watcher = NewClient("watcher", 1);
        _watcher.AnswersItself = true;
        WillEnd[] ends = [WillEnd.Killed, WillEnd.Killed, WillEnd.Killed, WillEnd.Killed, WillEnd.Killed, WillEnd.Dropped, WillEnd.Dropped, WillEnd.Disconnected, WillEnd.Disconnected, WillEnd.Racing];
        _wills.AddRange(ends.Select((end, number) => new WillClient(_prefix, number, end)));
    }

    public KillLedger Ledger { get; } = new();

    public int WillsMissing => _willsMissing;

    public int WillsDouble => _willsDouble;

    /// <summary>Wills of clients that had said good-bye.</summary>
    public int WillsWrong => _willsWrong;

    public string Summary =>
        $"{_rounds} kills, {Ledger.Published} messages published, {Ledger.Received} received: lost {Ledger.Lost()}, QoS 2 duplicates {Ledger.Duplicates(2)}, out of order {Ledger.OutOfOrder}, "
        + $"sessions lost {Ledger.LostSessions}, QoS 1 duplicates {Ledger.Duplicates(1)}; {_willsExpected} wills: missing {_willsMissing}, double {_willsDouble}, wrong {_willsWrong}";

    public async Task RunAsync(int rounds)
    {
        await SubscribeAsync(_watcher, $"{_prefix}/will/+", 2);
        foreach (var subscriber in _subscribers)
        {
            var qos = subscriber.ClientId[_prefix.Length + 2] - '0';
            await SubscribeAsync(subscriber, $"{_prefix}/{qos}/+", qos);
        }

        var load = _publishers.Select(PublishAsync).Concat(_subscribers.Append(_watcher).Select(KeepConnectedAsync)).ToList();
        for (; _rounds < rounds; _rounds++)
        {
            await RunRoundAsync();
        }

        _isStopping = true;
        await Task.WhenAll(load.Take(_publishers.Count)).WaitAsync(Limit);
        foreach (var subscriber in _subscribers)
        {
            await subscriber.WaitAsync(() => Ledger.Lost(subscriber.ClientId) == 0, _limit);
        }

        _isOver = true;
        foreach (var client in _subscribers.Append(_watcher).Concat(_publishers))
        {
            await client.DisconnectAsync();
        }

        await Task.WhenAll(load).WaitAsync(Limit);
        CountWills(isLast: true);
    }

    public void Dispose()
    {
        _isStopping = _isOver = true;
        _publishers.ForEach(client => client.Dispose());
        _subscribers.ForEach(client => client.Dispose());
        _wills.ForEach(client => client.Dispose());
        _watcher.Dispose();
    }

    private readonly Dictionary<string, (bool IsCertain, bool IsPossible)> _expected = [];

    private async Task RunRoundAsync()
    {
        foreach (var will in _wills.Where(will => will.End != WillEnd.Racing))
        {
            await will.ConnectAsync(_server.Port, _rounds);
        }

        foreach (var will in _wills)
        {
            await will.EndBeforeAsync();
        }

        // Anywhere between "the clients are just coming back" and "in the middle of the load".
        var target = Ledger.Acknowledged + (_random.Next(4) == 0 ? _random.Next(20) : _random.Next(200, 3000));
        if (!await _publishers[0].WaitAsync(() => Ledger.Acknowledged >= target, _limit))
        {
            throw new TimeoutException($"The load stands still in round {_rounds}, at {Ledger.Acknowledged} acknowledged messages. {Summary}\n{string.Join('\n', _server.Output.TakeLast(40))}");
        }

        var racing = _wills.Where(will => will.End == WillEnd.Racing).Select(will => will.ConnectAsync(_server.Port, _rounds)).ToList();
        _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_server.Deviations.HasFlag(Deviations.NoWillsAfterCrash))
        {
            await Task.WhenAll(racing);
            _wills.ForEach(will => will.Drop());
            ExpectWills();
            await WaitForWillsAsync();
        }

        await _server.CrashAsync();
        await Task.WhenAll(racing);
        ExpectWills();
        await _server.StartAgainAsync();
        _up.SetResult();
        await WaitForWillsAsync();
    }

    private void ExpectWills()
    {
        foreach (var will in _wills)
        {
            _expected[will.Payload] = (will.IsAccepted && will.End != WillEnd.Disconnected, will.End != WillEnd.Disconnected);
        }
    }

    private async Task WaitForWillsAsync()
    {
        await _watcher.WaitAsync(() => _expected.All(will => !will.Value.IsCertain || Ledger.Wills(will.Key) > 0), _limit);
        CountWills(isLast: false);
    }

    private void CountWills(bool isLast)
    {
        _willsExpected = _expected.Count(will => will.Value.IsCertain);
        _willsMissing = _expected.Count(will => will.Value.IsCertain && Ledger.Wills(will.Key) == 0);
        _willsDouble = _expected.Count(will => Ledger.Wills(will.Key) > 1);
        _willsWrong = _expected.Count(will => !will.Value.IsPossible && Ledger.Wills(will.Key) > 0);
        if (!isLast && _willsMissing > 0)
        {
            throw new TimeoutException($"Wills are missing in round {_rounds}: "
                + $"{string.Join(", ", _expected.Where(will => will.Value.IsCertain && Ledger.Wills(will.Key) == 0).Select(will => will.Key))}. {Summary}\n{string.Join('\n', _server.Output.TakeLast(40))}");
        }
    }

    private SessionClient NewClient(string name, int number) => new($"{_prefix}-{name}", number % 2 == 0 ? 5 : 4, new KillObserver($"{_prefix}-{name}", Ledger));

    private async Task SubscribeAsync(SessionClient client, string filter, int qos)
    {
        await ConnectAsync(client);
        client.Subscribe(filter, qos);
        if (!await client.WaitAsync(() => !client.HasRequests, _limit))
        {
            throw new TimeoutException($"No SUBACK for {filter}.");
        }
    }

    private async Task PublishAsync(SessionClient client)
    {
        var qos = client.ClientId[_prefix.Length + 2] - '0';
        var topic = $"{_prefix}/{qos}/{client.ClientId}";
        while (!_isOver && (!_isStopping || client.Outgoing > 0))
        {
            await ConnectAsync(client);
            while (!_isStopping && client.IsConnected && client.Outgoing < Math.Min(Window, client.SendQuota))
            {
                client.Publish(topic, $"{client.ClientId} {Ledger.Next(client.ClientId)}", qos);
            }

            await client.WaitAsync(() => !client.IsConnected || client.Outgoing < Window / 2 || (_isStopping && client.Outgoing == 0), TimeSpan.FromSeconds(1));
        }
    }

    private async Task KeepConnectedAsync(SessionClient client)
    {
        while (!_isOver)
        {
            await ConnectAsync(client);
            await client.WaitAsync(() => !client.IsConnected || _isOver, Limit);
        }
    }

    private async Task ConnectAsync(SessionClient client)
    {
        while (!client.IsConnected && !_isOver)
        {
            await _up.Task;
            try
            {
                await client.ConnectAsync(_server.Port, cleanStart: false, 3600);
            }
            catch (IOException) when (!_up.Task.IsCompleted)
            {
                // Killed meanwhile: again when it is back.
            }
        }
    }
}
