using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Whether Kafka answers: probed every few seconds, and told by the clients when all brokers are down.</summary>
internal sealed class KafkaHealth(KafkaLogOptions options, string description, ILogger logger)
{
    /// <summary>The time between probes.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>How long a broker may take to answer.</summary>
    public static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(2);

    private static readonly DescribeClusterOptions ProbeOptions = new() { RequestTimeout = ProbeLimit };
    private volatile string? _reason;
    private volatile string? _fatal;

    public LogHealth Current => _fatal is { } fatal
        ? new(false, $"{description} does not take records of this process any more, which needs a restart: {fatal}")
        : _reason is { } reason ? new(false, $"{description} is out of reach: {reason}") : new(true, description);

    public void OnError(Error error)
    {
        if (error.Code == ErrorCode.Local_AllBrokersDown)
        {
            OnUnreachable(error.Reason);
        }
    }

    /// <summary>As <see cref="OnError"/>; an idempotent producer may also fail for good, when its order cannot be kept.</summary>
    public void OnProducerError(Error error)
    {
        if (error.IsFatal)
        {
            _fatal = error.Reason;
            logger.LogProducerFailed(error.Reason);
        }

        OnError(error);
    }

    /// <summary>No broker answers.</summary>
    public void OnUnreachable(string reason)
    {
        if (_reason is null)
        {
            logger.LogOutOfReach(options.BootstrapServers, reason);
        }

        _reason = reason;
    }

    /// <summary>A broker has answered a probe.</summary>
    public void OnReachable()
    {
        if (_reason is not null)
        {
            _reason = null;
            logger.LogWithinReach(options.BootstrapServers);
        }
    }

    /// <summary>Probes by the Confluent client.</summary>
    public async Task ProbeAsync(KafkaAdmin admin, CancellationToken stopping)
    {
        using PeriodicTimer timer = new(Period);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            try
            {
                await admin.AskAsync(client => client.DescribeClusterAsync(ProbeOptions));
                OnReachable();
            }
            catch (KafkaException exception)
            {
                OnUnreachable(exception.Error.Reason);
            }
        }
    }
}
