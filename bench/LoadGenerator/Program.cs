using System.CommandLine;
using OrleansMqtt.LoadGenerator;
using OrleansMqtt.LoadGenerator.Commands;

var root = new RootCommand("MQTT load generator: measures throughput, latency, losses, and the CPU and memory of the server's processes.")
{
    new LoadCommand(Scenario.P2p, "p2p", "Each publisher has its own topic and its own subscriber."),
    new LoadCommand(Scenario.FanIn, "fan-in", "Each publisher has its own topic; all subscribers share one wildcard filter."),
    new LoadCommand(Scenario.FanOut, "fan-out", "All publishers publish to one topic of all subscribers."),
    new LoadCommand(Scenario.Connections, "connections", "Opens idle connections and holds them: memory per connection."),
    new LoadCommand(Scenario.Publish, "publish", "Publishes; nobody subscribes."),
    new LoadCommand(Scenario.Ledger, "ledger", "Publishes at QoS 1, never repeats, and writes each acknowledged message to a file."),
    new LoadCommand(Scenario.Offline, "offline", "Subscribers are away while messages for them are published, and come back all at once."),
    new LoadCommand(Scenario.Retained, "retained", "Publishes retained messages of many topics, and times the subscriptions that find them."),
};

// Ctrl-C and SIGTERM end a run with its results, which takes longer than the library would wait.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
