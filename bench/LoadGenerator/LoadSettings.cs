namespace OrleansMqtt.LoadGenerator;

/// <summary>All that describes a run. Durations in seconds.</summary>
internal sealed record LoadSettings
{
    public required Scenario Scenario { get; init; }

    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The servers' ports: the connections take turns.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [1883];

    /// <summary>Idle connections that are lost come back, to the next port (scenario Connections).</summary>
    public bool Reconnects { get; init; }

    /// <summary>Protocol level: 4 (MQTT 3.1.1) or 5.</summary>
    public int Protocol { get; init; } = 5;

    public int Publishers { get; init; }

    public int Subscribers { get; init; }

    /// <summary>Connections that do nothing (scenario Connections).</summary>
    public int Idle { get; init; }

    public int PublishQualityOfService { get; init; } = 1;

    public int SubscribeQualityOfService { get; init; } = 1;

    public int PayloadLength { get; init; } = 256;

    /// <summary>Messages per second of all publishers together; 0: as fast as the window allows.</summary>
    public double Rate { get; init; }

    /// <summary>Messages of one publisher that may be outstanding; 0: only TCP and packet identifiers limit.</summary>
    public int Window { get; init; } = 100;

    public WindowBy WindowBy { get; init; }

    public double Duration { get; init; } = 10;

    public double WarmUp { get; init; } = 2;

    /// <summary>The publishers start one after the other over this time.</summary>
    public double Ramp { get; init; }

    /// <summary>How long missing messages are waited for after the end.</summary>
    public double Drain { get; init; } = 10;

    public string TopicPrefix { get; init; } = "bench";

    /// <summary>Prefix of client identifiers.</summary>
    public string ClientPrefix { get; init; } = "bench";

    public string? UserName { get; init; }

    public int KeepAlive { get; init; } = 60;

    /// <summary>Receive Maximum that the clients announce (MQTT 5); 0: left out.</summary>
    public int ReceiveMaximum { get; init; }

    /// <summary>How long sessions outlive their connections (3.1.1: whether they do); 0: they end with them.</summary>
    public uint SessionExpiry { get; init; }

    /// <summary>Connections opened per second; 0: as fast as they are accepted.</summary>
    public double ConnectRate { get; init; }

    public double ConnectTimeout { get; init; } = 30;

    public int Threads { get; init; } = 1;

    /// <summary>Number of source addresses 127.0.0.1, 127.0.0.2, ...; 0: the system chooses.</summary>
    public int SourceAddresses { get; init; }

    public string? LedgerFile { get; init; }

    /// <summary>Messages for all subscribers together (scenario Offline); topics (scenario Retained).</summary>
    public int Messages { get; init; }

    /// <summary>Whether the topics are there already (scenario Retained).</summary>
    public bool SubscribeOnly { get; init; }

    public int ConnectionCount => Publishers + Subscribers + Idle;

    public string TopicOf(int publisher) => Scenario == Scenario.FanOut ? $"{TopicPrefix}/all" : $"{TopicPrefix}/{publisher}";

    /// <summary>Filters of each subscriber (scenario Offline); messages go to the first.</summary>
    public int Filters { get; init; } = 1;

    /// <summary>Subscribers that are connected at a time before they go away (scenario Offline).</summary>
    public int AtOnce { get; init; } = int.MaxValue;

    public string FilterOf(int subscriber) => Scenario switch
    {
        Scenario.P2p or Scenario.Offline => $"{TopicPrefix}/{subscriber}",
        Scenario.FanOut => $"{TopicPrefix}/all",
        Scenario.Shared => $"$share/{ClientPrefix}/{TopicPrefix}/+",
        _ => $"{TopicPrefix}/+",
    };

    /// <summary>How many subscribers get each message.</summary>
    public int DeliveriesPerMessage => Scenario is Scenario.P2p or Scenario.Shared ? 1 : Subscribers;
}
