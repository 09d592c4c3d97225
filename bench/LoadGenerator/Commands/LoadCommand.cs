using System.CommandLine;
using System.Globalization;
using OrleansMqtt.LoadGenerator.Engine;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.LoadGenerator.Commands;

/// <summary>One scenario as a sub-command: the options that all share, and those of its own.</summary>
internal sealed class LoadCommand : Command
{
    private const int PortsPerSourceAddress = 28_000;

    private readonly Scenario _scenario;
    private readonly Option<string> _host = Option("--host", "server", "127.0.0.1");
    private readonly Option<int[]> _ports = Option<int[]>("--port", "MQTT port; repeatable: the connections take turns", [1883]);
    private readonly Option<int> _protocol = Option("--protocol", "4 (MQTT 3.1.1) or 5", 5);
    private readonly Option<string?> _user = Option<string?>("--username", "user name", null);
    private readonly Option<string?> _password = Option<string?>("--password", "password", null);
    private readonly Option<int> _keepAlive = Option("--keep-alive", "keep alive in seconds", 60);
    private readonly Option<double> _connectRate = Option("--connect-rate", "connections per second; 0: as fast as they are accepted", 0.0);
    private readonly Option<double> _connectTimeout = Option("--connect-timeout", "seconds until all connections must be ready", 30.0);
    private readonly Option<int> _threads = Option("--threads", "threads that serve the connections", 1);
    private readonly Option<int> _sources = Option("--source-addresses", "connect from this many addresses 127.0.0.x; 0: by need", 0);
    private readonly Option<double> _duration = Option("--duration", "measured seconds", 10.0);
    private readonly Option<string[]> _pids = new("--pid") { Description = "name=pid: report CPU and memory of this process; repeatable" };
    private readonly Option<string?> _json = Option<string?>("--json", "write the result to this file as JSON", null);
    private readonly Option<bool> _quiet = Option("--quiet", "no progress lines", false);
    private readonly Option<int> _publishers = Option("--publishers", "number of publishers", 100);
    private readonly Option<int> _subscribers = Option("--subscribers", "number of subscribers", 100);
    private readonly Option<int> _idle = Option("--connections", "number of connections", 10_000);
    private readonly Option<bool> _reconnect = Option("--reconnect", "connections that are lost come back, to the next port", false);
    private readonly Option<int> _qos = Option("--qos", "QoS of publishes and subscriptions: 0, 1 or 2", 1);
    private readonly Option<int?> _publishQos = Option<int?>("--publish-qos", "QoS of publishes, when it differs", null);
    private readonly Option<int?> _subscribeQos = Option<int?>("--subscribe-qos", "QoS of subscriptions, when it differs", null);
    private readonly Option<int> _payload = Option("--payload", "payload bytes, 16 or more", 256);
    private readonly Option<double> _rate = Option("--rate", "messages per second of all publishers together; 0: as fast as the window allows", 0.0);
    private readonly Option<int> _window = Option("--window", "outstanding messages per publisher; 0: unlimited", 100);
    private readonly Option<WindowBy?> _windowBy = Option<WindowBy?>("--window-by", "what ends a message's stay in the window (default: acknowledgement, at QoS 0 and shared delivery)", null);
    private readonly Option<double> _warmUp = Option("--warm-up", "seconds before measuring", 2.0);
    private readonly Option<double> _ramp = Option("--ramp", "seconds over which the publishers start", 0.0);
    private readonly Option<double> _drain = Option("--drain", "seconds to wait for missing messages after the end", 10.0);
    private readonly Option<int> _receiveMaximum = Option("--receive-maximum", "Receive Maximum that the clients announce (MQTT 5); 0: none", 0);
    private readonly Option<int> _sessionExpiry = Option("--session-expiry", "seconds that sessions outlive their connections (MQTT 3.1.1: without end); 0: they end with them", 0);
    private readonly Option<string?> _topicPrefix = Option<string?>("--topic-prefix", "prefix of topics and client identifiers (default: bench/ and a random part)", null);
    private readonly Option<int> _messages = Option("--messages", "messages for all subscribers together; 0: the subscribers stay away", 100_000);
    private readonly Option<int> _filters = Option("--filters", "topic filters of each subscriber", 1);
    private readonly Option<int> _atOnce = Option("--at-once", "subscribers that are connected at a time before they go away; 0: all", 0);
    private readonly Option<bool> _subscribeOnly = Option("--subscribe-only", "the topics are there already, as after a restart of the server", false);
    private readonly Option<string> _file = new("--file") { Description = "file of acknowledged messages, a line 'topic TAB sequence' each", Required = true };

    public LoadCommand(Scenario scenario, string name, string description)
        : base(name, description)
    {
        _scenario = scenario;
        if (scenario == Scenario.FanOut)
        {
            _publishers.DefaultValueFactory = _ => 1;
            _subscribers.DefaultValueFactory = _ => 200;
        }
        else if (scenario == Scenario.FanIn)
        {
            _subscribers.DefaultValueFactory = _ => 1;
        }
        else if (scenario == Scenario.Shared)
        {
            _subscribers.DefaultValueFactory = _ => 8;
        }
        else if (scenario == Scenario.Offline)
        {
            _publishers.DefaultValueFactory = _ => 10;
            _subscribers.DefaultValueFactory = _ => 1000;
            _drain.DefaultValueFactory = _ => 30.0;
            _drain.Description = "seconds to wait when nothing happens any more";
        }

        else if (scenario == Scenario.Retained)
        {
            _publishers.DefaultValueFactory = _ => 10;
            _messages.DefaultValueFactory = _ => 1_000_000;
            _messages.Description = "topics";
            _drain.DefaultValueFactory = _ => 30.0;
            _drain.Description = "seconds to wait when nothing happens any more";
            _topicPrefix.DefaultValueFactory = _ => "site";
            _topicPrefix.Description = "first level of the topics";
        }

        List<Option> options =
            [_host, _ports, _protocol, _user, _password, _keepAlive, _connectRate, _connectTimeout, _threads, _sources, _duration, _pids, _json, _quiet, _topicPrefix];
        if (scenario == Scenario.Connections)
        {
            options.AddRange([_idle, _reconnect]);
        }
        else if (scenario == Scenario.Offline)
        {
            options.AddRange([_subscribers, _messages, _filters, _atOnce, _publishers, _payload, _window, _drain, _qos, _publishQos, _subscribeQos, _receiveMaximum]);
        }
        else if (scenario == Scenario.Retained)
        {
            options.AddRange([_messages, _publishers, _payload, _window, _drain, _qos, _subscribeQos, _receiveMaximum, _subscribeOnly]);
        }
        else
        {
            options.AddRange([_publishers, _payload, _rate, _window, _warmUp, _ramp, _drain]);
            if (scenario != Scenario.Ledger)
            {
                options.Add(_qos);
            }
        }

        if (scenario is Scenario.P2p or Scenario.FanIn or Scenario.FanOut or Scenario.Shared)
        {
            options.AddRange([_subscribers, _publishQos, _subscribeQos, _windowBy, _receiveMaximum, _sessionExpiry]);
        }

        if (scenario == Scenario.Ledger)
        {
            options.Add(_file);
        }

        options.ForEach(Options.Add);
        SetAction((result, _) => RunAsync(result));
    }

    private static Option<T> Option<T>(string name, string description, T value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    private async Task<int> RunAsync(ParseResult parsed)
    {
        using var stopping = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            stopping.Cancel();
        };
        using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stopping.Cancel();
        });
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                throw new LoadException("the load generator runs on Linux only");
            }

            var settings = Settings(parsed);
            var processes = Processes(parsed.GetValue(_pids) ?? []);
            var progress = parsed.GetValue(_quiet) ? TextWriter.Null : Console.Error;
            if (_scenario == Scenario.Offline)
            {
                var offline = await new OfflineRun(settings, parsed.GetValue(_password), processes, progress, stopping.Token).RunAsync();
                Console.Write(offline.ToText());
                if (parsed.GetValue(_json) is { } offlineFile)
                {
                    await File.WriteAllTextAsync(offlineFile, offline.ToJson(), CancellationToken.None);
                }

                return offline.ExitCode;
            }

            if (_scenario == Scenario.Retained)
            {
                var retained = await new RetainedRun(settings, parsed.GetValue(_password), processes, progress, stopping.Token).RunAsync();
                Console.Write(retained.ToText());
                if (parsed.GetValue(_json) is { } retainedFile)
                {
                    await File.WriteAllTextAsync(retainedFile, retained.ToJson(), CancellationToken.None);
                }

                return retained.ExitCode;
            }

            using var run = new LoadRun(settings, parsed.GetValue(_password), processes, progress, stopping.Token);
            var result = await run.RunAsync();
            Console.Write(ResultText.Of(result));
            if (parsed.GetValue(_json) is { } file)
            {
                await File.WriteAllTextAsync(file, result.ToJson(), CancellationToken.None);
            }

            return result.ExitCode;
        }
        catch (LoadException error)
        {
            await Console.Error.WriteLineAsync($"error: {error.Message}");
            return error.ExitCode;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error: {error.Message}");
            return ExitCodes.Failed;
        }
    }

    private LoadSettings Settings(ParseResult parsed)
    {
        bool connections = _scenario == Scenario.Connections;
        bool offline = _scenario == Scenario.Offline;
        bool retained = _scenario == Scenario.Retained;
        bool subscribes = offline || _scenario is Scenario.P2p or Scenario.FanIn or Scenario.FanOut or Scenario.Shared;
        int qos = connections ? 0 : _scenario == Scenario.Ledger ? 1 : Within(parsed, _qos, 0, 2);
        int publishQos = subscribes ? parsed.GetValue(_publishQos) ?? qos : qos;
        int subscribeQos = subscribes || retained ? parsed.GetValue(_subscribeQos) ?? qos : qos;
        Check(publishQos is >= 0 and <= 2 && subscribeQos is >= 0 and <= 2, "--publish-qos and --subscribe-qos are 0, 1 or 2");
        Check(!offline || (publishQos > 0 && subscribeQos > 0), "nobody keeps messages of QoS 0 for a subscriber that is away");
        int protocol = Within(parsed, _protocol, 4, 5);
        int publishers = connections ? 0 : Within(parsed, _publishers, 1, 1_000_000);
        int subscribers = subscribes ? Within(parsed, _subscribers, 1, 1_000_000) : 0;
        Check(_scenario != Scenario.P2p || publishers == subscribers, $"p2p needs as many subscribers as publishers, not {publishers} and {subscribers}");
        int idle = connections ? Within(parsed, _idle, 1, 10_000_000) : 0;
        string host = parsed.GetValue(_host)!;
        int sources = Within(parsed, _sources, 0, 60_000);
        int count = publishers + subscribers + idle;
        if (sources == 0 && count > PortsPerSourceAddress && host is "127.0.0.1" or "localhost")
        {
            sources = (count + PortsPerSourceAddress - 1) / PortsPerSourceAddress;
        }

        string run = Guid.NewGuid().ToString("N")[..8];
        string prefix = parsed.GetValue(_topicPrefix) ?? $"bench/{run}";
        return new LoadSettings
        {
            Scenario = _scenario,
            Host = host,
            Ports = Ports(parsed.GetValue(_ports)!),
            Protocol = protocol,
            Publishers = publishers,
            Subscribers = subscribers,
            Idle = idle,
            Reconnects = connections && parsed.GetValue(_reconnect),
            PublishQualityOfService = publishQos,
            SubscribeQualityOfService = subscribeQos,
            PayloadLength = connections ? 16 : Within(parsed, _payload, 16, 16 * 1024 * 1024),
            Rate = connections || offline || retained ? 0 : AtLeastZero(parsed, _rate),
            Window = connections ? 0 : Within(parsed, _window, 0, 65535),
            WindowBy = (subscribes && !offline ? parsed.GetValue(_windowBy) : null) ?? (publishQos == 0 || _scenario == Scenario.Shared ? WindowBy.Delivery : WindowBy.Acknowledgement),
            Duration = AtLeastZero(parsed, _duration),
            WarmUp = connections || offline || retained ? 0 : AtLeastZero(parsed, _warmUp),
            Ramp = connections || offline || retained ? 0 : AtLeastZero(parsed, _ramp),
            Drain = connections ? 0 : AtLeastZero(parsed, _drain),
            TopicPrefix = prefix,
            ClientPrefix = $"bench-{run}",
            UserName = parsed.GetValue(_user),
            KeepAlive = Within(parsed, _keepAlive, 0, 65535),
            ReceiveMaximum = subscribes || retained ? Within(parsed, _receiveMaximum, 0, 65535) : 0,
            SessionExpiry = subscribes && !offline ? (uint)Within(parsed, _sessionExpiry, 0, int.MaxValue) : 0,
            SubscribeOnly = retained && parsed.GetValue(_subscribeOnly),
            Messages = offline || retained ? Within(parsed, _messages, retained ? 1 : 0, 1_000_000_000) : 0,
            Filters = offline ? Within(parsed, _filters, 1, 1000) : 1,
            AtOnce = offline && parsed.GetValue(_atOnce) > 0 ? parsed.GetValue(_atOnce) : int.MaxValue,
            ConnectRate = AtLeastZero(parsed, _connectRate),
            ConnectTimeout = AtLeastZero(parsed, _connectTimeout),
            Threads = Within(parsed, _threads, 1, 64),
            SourceAddresses = sources,
            LedgerFile = _scenario == Scenario.Ledger ? parsed.GetValue(_file) : null,
        };
    }

    private static int[] Ports(int[] ports)
    {
        Check(ports.Length > 0 && Array.TrueForAll(ports, port => port is > 0 and <= 65535), "--port is between 1 and 65535");
        return ports;
    }

    private static List<WatchedProcess> Processes(string[] values)
    {
        var processes = new List<WatchedProcess>();
        foreach (string value in values)
        {
            int at = value.LastIndexOf('=');
            Check(at > 0 && int.TryParse(value[(at + 1)..], CultureInfo.InvariantCulture, out _), $"--pid is name=pid, not '{value}'");
            int id = int.Parse(value[(at + 1)..], CultureInfo.InvariantCulture);
            Check(ProcessSample.Take(id) is not null, $"--pid {value}: there is no process {id}");
            processes.Add(new WatchedProcess(value[..at], id));
        }

        return processes;
    }

    private static int Within(ParseResult parsed, Option<int> option, int low, int high)
    {
        int value = parsed.GetValue(option);
        Check(value >= low && value <= high, $"{option.Name} is {low} to {high}, not {value}");
        return value;
    }

    private static double AtLeastZero(ParseResult parsed, Option<double> option)
    {
        double value = parsed.GetValue(option);
        Check(value >= 0, FormattableString.Invariant($"{option.Name} is 0 or more, not {value}"));
        return value;
    }

    private static void Check(bool holds, string message)
    {
        if (!holds)
        {
            throw new LoadException(message);
        }
    }
}
