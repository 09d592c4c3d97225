using System.Text;
using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Lives one history with real clients against a server, and compares with the model.</summary>
internal sealed class History : IDisposable
{
    private const uint Expiry = 3600;
    private readonly IServerUnderTest _server;
    private readonly HistoryModel _model;
    private readonly HistoryGenerator _generated;
    private readonly SessionClient[] _clients;
    private readonly ModelClient[] _observers;
    private readonly int _seed;
    private readonly int _number;
    private readonly TimeSpan _limit;
    private readonly string _prefix;
    private int _reached = -1;
    private int _payloads;

    public History(IServerUnderTest server, int seed, int number, int crashes, TimeSpan limit)
    {
        (_server, _seed, _number, _limit) = (server, seed, number, limit);
        _model = new(server);
        _generated = HistoryGenerator.Generate(seed, number, crashes);
        _prefix = $"{Guid.NewGuid():N}"[..8] + $"-{number}";
        _observers = [.. _generated.Protocols.Select((protocol, client) => _model.AddClient($"{_prefix}-{client}", protocol))];
        _clients = [.. _generated.Protocols.Select((protocol, client) => new SessionClient($"{_prefix}-{client}", protocol, _observers[client]))];
    }

    public int Steps => _generated.Steps.Count;

    public int Messages => _model.Messages.Count;

    public bool HasFailed => _model.Faults.Count > 0;

    /// <param name="crash">Makes the server crash, together with all other histories, and returns when it runs again.</param>
    public async Task RunAsync(Func<Task> crash)
    {
        try
        {
            foreach (var step in _generated.Steps)
            {
                _reached++;
                _model.Mark($"# {step}");
                await (step.Kind == StepKind.Crash ? CrashAsync(crash) : TakeAsync(step, _clients[step.Client]));
                if (HasFailed)
                {
                    return;
                }
            }

            await EndAsync();
        }
        catch (IOException exception)
        {
            _model.Fault(exception.Message);
        }
    }

    /// <summary>All that is needed to understand a failure and to repeat it.</summary>
    public string Report()
    {
        StringBuilder text = new();
        text.AppendLine($"History {_number} of seed {_seed} failed; ORLEANSMQTT_SEED={_seed} ORLEANSMQTT_HISTORY={_number} runs it alone.");
        foreach (var fault in _model.Faults)
        {
            text.AppendLine($"  {fault}");
        }

        text.AppendLine($"Its steps, of which {_reached + 1} were taken (clients speak {string.Join(", ", _generated.Protocols.Select((p, client) => $"{client}: {(p == 5 ? "5" : "3.1.1")}"))}):");
        for (var i = 0; i < _generated.Steps.Count; i++)
        {
            text.AppendLine($"  {(i == _reached ? ">" : " ")} {i,3} {_generated.Steps[i]}");
        }

        text.AppendLine("Its packets:");
        foreach (var line in _model.Trace)
        {
            text.AppendLine($"  {line}");
        }

        return text.ToString();
    }

    public void Dispose() => Array.ForEach(_clients, client => client.Dispose());

    private async Task TakeAsync(HistoryStep step, SessionClient client)
    {
        if (step.Kind != StepKind.Connect && !client.IsConnected)
        {
            // Lost unexpectedly: the model has it as a fault already.
            return;
        }

        switch (step.Kind)
        {
            case StepKind.Connect:
                uint? expiry = client.Protocol == 5 && step.IsPersistent ? Expiry : null;
                await client.ConnectAsync(_server.Port, step.IsClean, expiry, _server.Deviations.HasFlag(Deviations.ReceiveMaximum) ? 0 : step.ReceiveMaximum);
                break;
            case StepKind.Drop or StepKind.Reset:
                client.Drop(step.Kind == StepKind.Reset);
                break;
            case StepKind.Disconnect or StepKind.EndSession:
                await client.DisconnectAsync(step.Kind == StepKind.EndSession);
                break;
            case StepKind.Subscribe:
                client.Subscribe($"{_prefix}/{step.Topic}", step.QoS | step.Options);
                await WaitAsync(step.Waits, client, () => !client.HasRequests, "SUBACK");
                break;
            case StepKind.Unsubscribe:
                client.Unsubscribe($"{_prefix}/{step.Topic}");
                await WaitAsync(step.Waits, client, () => !client.HasRequests, "UNSUBACK");
                break;
            case StepKind.Publish:
                var payload = $"m{_payloads++}{(step.IsLong ? $" {new string('x', 3000)}" : "")}";
                if (client.Publish($"{_prefix}/{step.Topic}", payload, step.QoS, step.IsRetained) is { } publish)
                {
                    await WaitAsync(step.Waits && step.QoS > 0, client, () => publish.IsTaken || !client.IsOutgoing(publish), $"an acknowledgement of {payload}");
                }

                break;
            case StepKind.Answer:
                client.Answer(step.Kinds, step.Count);
                break;
            case StepKind.Settle:
                await SettleAsync(step.Client);
                break;
        }
    }

    private Task<bool> ConnectForGoodAsync(SessionClient client) => client.ConnectAsync(_server.Port, cleanStart: false, client.Protocol == 5 ? Expiry : null);

    private async Task CrashAsync(Func<Task> crash)
    {
        for (var index = 0; index < _clients.Length && _server.Deviations.HasFlag(Deviations.ForgetsInCrash); index++)
        {
            if (_observers[index].IsHardToKeep)
            {
                await ConnectForGoodAsync(_clients[index]);
                await SettleAsync(index);
            }

            if (_clients[index].IsConnected)
            {
                // The server has then read the last PUBCOMP too.
                _clients[index].Ping();
                await WaitAsync(true, _clients[index], () => !_clients[index].HasRequests, "PINGRESP");
            }
        }

        _model.Crashing();
        await crash();
        foreach (var client in _clients)
        {
            await WaitAsync(true, client, () => !client.IsConnected, "the end of its connection, though the server was gone");
        }
    }

    private async Task SettleAsync(int index)
    {
        var client = _clients[index];
        client.AnswersItself = true;
        client.Answer(Answers.All);
        client.Ping();
        await WaitAsync(true, client, () => client.Outgoing == 0 && !client.HasRequests && !_observers[index].HasMissing, "all that it should have", index);
        client.AnswersItself = false;
    }

    /// <summary>All connect, get everything, and get one message more of each topic: what is there twice comes before it.</summary>
    private async Task EndAsync()
    {
        foreach (var client in _clients)
        {
            if (!client.IsConnected)
            {
                await ConnectForGoodAsync(client);
            }
        }

        for (var round = 0; round < 3 && !HasFailed; round++)
        {
            for (var index = 0; index < _clients.Length; index++)
            {
                if (round == 1)
                {
                    Array.ForEach(HistoryGenerator.Topics, topic => _clients[index].Publish($"{_prefix}/{topic}", $"end{_payloads++}", 1));
                }

                await SettleAsync(index);
            }
        }

        foreach (var client in _clients)
        {
            await client.DisconnectAsync();
        }
    }

    private async Task WaitAsync(bool waits, SessionClient client, Func<bool> condition, string what, int missing = -1)
    {
        if (!waits || await client.WaitAsync(() => condition() || !client.IsConnected, _limit))
        {
            return;
        }

        _model.Fault($"{client.ClientId} has not got {what} within {_limit.TotalSeconds} s; {client.Outgoing} publishes are not acknowledged");
        if (missing >= 0)
        {
            foreach (var fault in _observers[missing].Missing())
            {
                _model.Fault(fault);
            }
        }
    }
}
