using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>
/// Two groups with sessions that last, of QoS 1 and 2, under a load that does not stop, while connections of members are lost and the server is killed. The group of QoS 1 has two members
/// more: one that comes and goes without a session, and one that acknowledges nothing.
/// </summary>
internal sealed class SharedKillRounds : IDisposable
{
    private const int PublishersOfEachQoS = 3;
    private const int MembersOfEachQoS = 3;
    private const int Window = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _prefix = $"{Guid.NewGuid():N}"[..8];
    private readonly IServerUnderTest _server;
    private readonly Random _random;
    private readonly List<SessionClient> _publishers = [];
    private readonly List<(SessionClient Client, int QoS)> _members = [];
    private readonly SessionClient _visitor;
    private readonly SessionClient _silent;
    private TaskCompletionSource _up = new();
    private volatile bool _isStopping;
    private volatile bool _isOver;
    private int _rounds;
    private int _drops;
    private int _visits;

    public SharedKillRounds(IServerUnderTest server, int seed)
    {
        (_server, _random) = (server, new(seed));
        _up.SetResult();
        for (var qos = 1; qos <= 2; qos++)
        {
            for (var i = 0; i < PublishersOfEachQoS; i++)
            {
                var clientId = $"{_prefix}-p{qos}-{i}";
                _publishers.Add(new(clientId, i % 2 == 0 ? 5 : 4, new KillObserver(clientId, Ledger)) { AnswersItself = true });
                Ledger.Add(clientId, qos);
                Ledger.Add(GroupOf(qos), clientId);
            }

            for (var i = 0; i < MembersOfEachQoS; i++)
            {
                _members.Add((NewMember($"m{qos}-{i}", qos, i % 2 == 0 ? 5 : 4), qos));
            }
        }

        _visitor = NewMember("visitor", 1, 5, isDurable: false);
        _silent = NewMember("silent", 1, 5);
        _silent.AnswersItself = false;
    }

    public KillLedger Ledger { get; } = new();

    public string Summary =>
        $"{_rounds} kills, {_drops} connections lost, {_visits} visits, {Ledger.Published} messages published, {Ledger.Received} received: lost {Ledger.Lost()}, QoS 2 duplicates {Ledger.Duplicates(2)}, "
        + $"sessions lost {Ledger.LostSessions}, QoS 1 duplicates {Ledger.Duplicates(1)}";

    public async Task RunAsync(int rounds)
    {
        foreach (var (client, qos) in _members.Append((_silent, 1)))
        {
            await ConnectAsync(client);
            client.Subscribe($"$share/{GroupOf(qos)}/{_prefix}/{qos}/+", qos);
            if (!await client.WaitAsync(() => !client.HasRequests, Limit))
            {
                throw new TimeoutException($"No SUBACK for {client.ClientId}.");
            }
        }

        var publishing = _publishers.Select(PublishAsync).ToList();
        List<Task> receiving = [.. _members.Select(member => KeepConnectedAsync(member.Client)), VisitAsync(), BeSilentAsync()];
        for (; _rounds < rounds; _rounds++)
        {
            await RunRoundAsync();
        }

        _isStopping = true;
        await Task.WhenAll(publishing).WaitAsync(Limit);
        foreach (var qos in new[] { 1, 2 })
        {
            var member = _members.First(each => each.QoS == qos).Client;
            await member.WaitAsync(() => Ledger.Lost(GroupOf(qos)) == 0, Limit);
        }

        _isOver = true;
        foreach (var (client, _) in _members)
        {
            await client.DisconnectAsync();
        }

        await Task.WhenAll(receiving).WaitAsync(Limit);
    }

    public void Dispose()
    {
        _isStopping = _isOver = true;
        _publishers.ForEach(client => client.Dispose());
        _members.ForEach(member => member.Client.Dispose());
        _visitor.Dispose();
        _silent.Dispose();
    }

    private string GroupOf(int qos) => $"{_prefix}-{qos}";

    private SessionClient NewMember(string name, int qos, int protocol, bool isDurable = true) =>
        new($"{_prefix}-{name}", protocol, new GroupObserver($"{_prefix}-{name}", GroupOf(qos), Ledger, isDurable)) { AnswersItself = true };

    private async Task RunRoundAsync()
    {
        for (var left = _random.Next(4); left > 0; left--)
        {
            await WaitForLoadAsync(_random.Next(20, 800));
            Drop(NextMember());
        }

        await WaitForLoadAsync(_random.Next(4) == 0 ? _random.Next(20) : _random.Next(200, 2000));
        _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _server.CrashAsync();
        await _server.StartAgainAsync();
        _up.SetResult();
        for (var left = _random.Next(6); left > 0; left--)
        {
            // Just when it is offered again what it had before.
            var member = NextMember();
            await member.WaitAsync(() => member.IsConnected, Limit);
            Drop(member);
        }
    }

    private SessionClient NextMember() => _members[_random.Next(_members.Count)].Client;

    private void Drop(SessionClient member)
    {
        member.Drop(isReset: _random.Next(2) == 0);
        _drops++;
    }

    private async Task WaitForLoadAsync(int messages)
    {
        var target = Ledger.Acknowledged + messages;
        if (!await _publishers[0].WaitAsync(() => Ledger.Acknowledged >= target, Limit))
        {
            throw new TimeoutException($"The load stands still in round {_rounds}, at {Ledger.Acknowledged} acknowledged messages. {Summary}\n{string.Join('\n', _server.Output.TakeLast(40))}");
        }
    }

    private async Task PublishAsync(SessionClient client)
    {
        var qos = client.ClientId[_prefix.Length + 2] - '0';
        while (!_isOver && (!_isStopping || client.Outgoing > 0))
        {
            await ConnectAsync(client);
            while (!_isStopping && client.IsConnected && client.Outgoing < Math.Min(Window, client.SendQuota))
            {
                client.Publish($"{_prefix}/{qos}/{client.ClientId}", $"{client.ClientId} {Ledger.Next(client.ClientId)}", qos);
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

    /// <summary>A member that comes without a session and is gone again, with whatever it has not acknowledged.</summary>
    private async Task VisitAsync()
    {
        while (!_isStopping)
        {
            await ConnectAsync(_visitor, isDurable: false);
            var received = Ledger.Received;
            _visitor.Subscribe($"$share/{GroupOf(1)}/{_prefix}/1/+", 1);
            await _visitor.WaitAsync(() => !_visitor.IsConnected || _isStopping || Ledger.Received > received + 300, TimeSpan.FromSeconds(5));
            _visitor.Drop(isReset: true);
            _visits++;
        }
    }

    /// <summary>A member that takes messages and does not acknowledge one: what it has goes to others when its connection is lost.</summary>
    private async Task BeSilentAsync()
    {
        while (!_isStopping)
        {
            await ConnectAsync(_silent);
            var acknowledged = Ledger.Acknowledged;
            await _silent.WaitAsync(() => !_silent.IsConnected || _isStopping || Ledger.Acknowledged > acknowledged + 1000, TimeSpan.FromSeconds(5));
            _silent.Drop(isReset: false);
        }
    }

    private async Task ConnectAsync(SessionClient client, bool isDurable = true)
    {
        while (!client.IsConnected && !_isOver)
        {
            await _up.Task;
            try
            {
                await client.ConnectAsync(_server.Port, cleanStart: !isDurable, isDurable ? 3600 : null);
            }
            catch (IOException) when (!_up.Task.IsCompleted)
            {
                // Killed meanwhile: again when it is back.
            }
        }
    }
}
