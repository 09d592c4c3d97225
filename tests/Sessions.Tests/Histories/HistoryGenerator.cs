using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Makes the same history of the same seed and number, always.</summary>
internal sealed class HistoryGenerator
{
    private static readonly Answers[] Kinds = [Answers.PubAck, Answers.PubRec, Answers.PubRel, Answers.PubComp, Answers.PubAck | Answers.PubRec];
    private readonly Random _random;
    private readonly List<HistoryStep> _steps = [];
    private readonly string[] _filters;
    private readonly bool[] _isConnected;

    private HistoryGenerator(int seed, int number)
    {
        // One mixing of both: neighbours have nothing in common.
        _random = new(unchecked((seed * 0x9E3779B1L) + (number * 0x85EBCA77L)).GetHashCode());
        Protocols = [.. Enumerable.Range(0, _random.Next(2, 5)).Select(_ => _random.Next(2) == 0 ? 4 : 5)];
        _isConnected = new bool[Protocols.Length];
        _filters = _random.Next(4) > 0 ? Topics : [.. Topics, "#", "+"];
    }

    public static string[] Topics { get; } = ["a", "b", "c"];

    /// <summary>The protocol version of each client.</summary>
    public int[] Protocols { get; }

    public IReadOnlyList<HistoryStep> Steps => _steps;

    public static HistoryGenerator Generate(int seed, int number, int crashes)
    {
        HistoryGenerator generator = new(seed, number);
        for (var part = 0; part <= crashes; part++)
        {
            var length = generator._random.Next(15, 45);
            for (var i = 0; i < length; i++)
            {
                generator._steps.Add(generator.Next());
            }

            if (part < crashes)
            {
                generator._steps.Add(new(StepKind.Crash));
                Array.Clear(generator._isConnected);
            }
        }

        return generator;
    }

    private HistoryStep Next()
    {
        var client = _random.Next(Protocols.Length);
        if (!_isConnected[client])
        {
            return Connect(client);
        }

        switch (_random.Next(100))
        {
            case < 40:
                return new(StepKind.Publish, client) { Topic = Topics[_random.Next(Topics.Length)], QoS = QoS(), Waits = _random.Next(3) == 0, IsLong = _random.Next(20) == 0, IsRetained = _random.Next(3) == 0 };
            case < 60:
                return new(StepKind.Answer, client)
                {
                    Kinds = _random.Next(2) == 0 ? Answers.All : Kinds[_random.Next(Kinds.Length)],
                    Count = _random.Next(2) == 0 ? int.MaxValue : _random.Next(1, 4),
                };
            case < 74:
                return new(StepKind.Subscribe, client) { Topic = Filter(), QoS = QoS(), Waits = _random.Next(4) > 0, Options = Protocols[client] == 5 ? (_random.Next(3) << 4) | (_random.Next(2) << 3) : 0 };
            case < 78:
                return new(StepKind.Unsubscribe, client) { Topic = Filter(), Waits = _random.Next(2) == 0 };
            case < 82:
                return End(StepKind.Drop, client);
            case < 86:
                return End(StepKind.Reset, client);
            case < 89:
                return End(StepKind.Disconnect, client);
            case 89 when Protocols[client] == 5:
                return End(StepKind.EndSession, client);
            case < 93:
                return Connect(client);
            default:
                return new(StepKind.Settle, client);
        }
    }

    private HistoryStep Connect(int client)
    {
        _isConnected[client] = true;
        var isClean = _random.Next(6) == 0;
        var isVersion5 = Protocols[client] == 5;
        return new(StepKind.Connect, client)
        {
            IsClean = isClean,
            IsPersistent = isVersion5 ? _random.Next(8) > 0 : !isClean,
            ReceiveMaximum = isVersion5 && _random.Next(3) == 0 ? _random.Next(1, 6) : 0,
        };
    }

    private HistoryStep End(StepKind kind, int client)
    {
        _isConnected[client] = false;
        return new(kind, client);
    }

    private string Filter() => _filters[_random.Next(_filters.Length)];

    private int QoS() => _random.Next(8) switch
    {
        0 => 0,
        < 4 => 1,
        _ => 2,
    };
}
