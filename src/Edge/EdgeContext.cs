using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.Publishing;
using OrleansMqtt.Edge.Redirecting;
using OrleansMqtt.Edge.SystemTopics;

namespace OrleansMqtt.Edge;

/// <summary>What all connections of an edge share.</summary>
internal sealed class EdgeContext
{
    private readonly FreezeGuard _freeze;

    public EdgeContext(
        IEdgeGrains grains, IOptions<EdgeOptions> options, [FromKeyedServices(ClientTime.Key)] TimeProvider time, EdgeMetrics metrics, ILogger<EdgeContext> logger,
        IEnumerable<IEnhancedAuthenticator> authenticators, IEdgeDirectory? directory = null)
    {
        Grains = grains;
        Options = options.Value;
        Features = ServerFeatures.Of(Options);
        Authentication = new ConnectAuthentication(Options.Authentication, authenticators);
        Time = time;
        Metrics = metrics;
        Logger = logger;
        Topics = new PublishTopics(grains);
        Credits = new PublishCredits(Options.TotalPublishBytes);
        Pace = new PublishPace(Credits, time, Options.DelayLimit);
        metrics.ObservePublishLimit(() => Credits.Limit);
        Directory = directory;
        _freeze = new FreezeGuard(time, Options.FreezeLimit);
        Deadlines = new DeadlineWheel(time, Beat);
        Acknowledgements = new(partition => new AcknowledgementSender(grains, partition, time, Pace, logger));
        InboundQoS2 = new(partition => new InboundQoS2Sender(grains, partition, () => Deliveries!.GenerationOf(partition), time, logger));
        Retained = new(partition => new RetainedSender(grains, partition, time, logger));
        Shedding = new LoadShedding(Options.ShedConnectionsAbove, directory);
        Connections = new ConnectionTable(Options.MaximumConnections, Shedding);
        Deliveries = new DeliveryReceiver(this);
    }

    public IEdgeGrains Grains { get; }

    /// <summary>The other edges; null without a cluster.</summary>
    public IEdgeDirectory? Directory { get; }

    public LoadShedding Shedding { get; }

    /// <summary>Whether this process did not run for so long that others may have taken its clients.</summary>
    public bool IsFrozen => _freeze.IsFrozen && Directory is { HasOthers: true };

    public EdgeOptions Options { get; }

    public ServerFeatures Features { get; }

    public ConnectAuthentication Authentication { get; }

    public TimeProvider Time { get; }

    public EdgeMetrics Metrics { get; }

    public ILogger Logger { get; }

    public PublishTopics Topics { get; }

    public PublishCredits Credits { get; }

    public PublishPace Pace { get; }

    public DeadlineWheel Deadlines { get; }

    public PartitionSenders<AcknowledgementSender> Acknowledgements { get; }

    public PartitionSenders<InboundQoS2Sender> InboundQoS2 { get; }

    public PartitionSenders<RetainedSender> Retained { get; }

    public ConnectionTable Connections { get; }

    public DeliveryReceiver Deliveries { get; }

    public SystemTopicPublisher SystemTopics { get; } = new();

    public ConnectTurns ConnectTurns { get; } = new();

    public OutputWriters OutputWriters { get; } = new();

    private void Beat()
    {
        if (IsFrozen)
        {
            Logger.Frozen(Options.FreezeLimit);
            foreach (var connection in Connections.All)
            {
                connection.CloseFrozen();
            }
        }

        _freeze.Beat();
    }
}
