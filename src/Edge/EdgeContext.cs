using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Protocol;
using OrleansMqtt.Edge.Publishing;
using OrleansMqtt.Edge.SystemTopics;

namespace OrleansMqtt.Edge;

/// <summary>What all connections of an edge share.</summary>
internal sealed class EdgeContext
{
    public EdgeContext(
        IEdgeGrains grains, IOptions<EdgeOptions> options, TimeProvider time, EdgeMetrics metrics, ILogger<EdgeContext> logger, IEnumerable<IEnhancedAuthenticator> authenticators)
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
        Deadlines = new DeadlineWheel(time);
        Acknowledgements = new(partition => new AcknowledgementSender(grains, partition, time, logger));
        InboundQoS2 = new(partition => new InboundQoS2Sender(grains, partition, time, logger));
        Retained = new(partition => new RetainedSender(grains, partition, time, logger));
        Connections = new ConnectionTable(Options.MaximumConnections);
    }

    public IEdgeGrains Grains { get; }

    public EdgeOptions Options { get; }

    public ServerFeatures Features { get; }

    public ConnectAuthentication Authentication { get; }

    public TimeProvider Time { get; }

    public EdgeMetrics Metrics { get; }

    public ILogger Logger { get; }

    public PublishTopics Topics { get; }

    public PublishCredits Credits { get; }

    public DeadlineWheel Deadlines { get; }

    public PartitionSenders<AcknowledgementSender> Acknowledgements { get; }

    public PartitionSenders<InboundQoS2Sender> InboundQoS2 { get; }

    public PartitionSenders<RetainedSender> Retained { get; }

    public ConnectionTable Connections { get; }

    public SystemTopicPublisher SystemTopics { get; } = new();

    public ConnectTurns ConnectTurns { get; } = new();
}
