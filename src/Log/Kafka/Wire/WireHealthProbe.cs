using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks every few seconds whether a broker answers, on a connection of its own: the others may wait for records, or behind them.</summary>
internal sealed class WireHealthProbe : WireWorker
{
    private readonly KafkaHealth _health;
    private readonly ILogger _logger;
    private BrokerAddress[] _brokers = [];

    public WireHealthProbe(WireSettings settings, KafkaHealth health, ILogger logger)
        : base(settings.With(KafkaHealth.ProbeLimit), "Kafka health")
    {
        (_health, _logger) = (health, logger);
        Start();
    }

    protected override void Run()
    {
        for (Rest(KafkaHealth.Period); !IsStopping; Rest(KafkaHealth.Period))
        {
            var reason = "no broker is known";
            if (TryAny(ref reason))
            {
                _health.OnReachable();
            }
            else if (!IsStopping)
            {
                _health.OnUnreachable(reason);
            }
        }
    }

    private bool TryAny(ref string reason)
    {
        if (Connection is { IsExpired: false } connected && TryProbe(connected.Address, ref reason))
        {
            return true;
        }

        foreach (var address in _brokers.Concat(Settings.Bootstrap).Distinct())
        {
            Close();
            if (IsStopping || TryProbe(address, ref reason))
            {
                return !IsStopping;
            }
        }

        Close();
        return false;
    }

    private bool TryProbe(BrokerAddress address, ref string reason)
    {
        try
        {
            if (Connection is null)
            {
                Connect(address);
            }

            // Of no topic: what is left is the brokers.
            var writer = Connection!.Start(WireApi.Metadata);
            writer.WriteInt32(0);
            writer.WriteInt8(0);
            var reader = Connection.SendAndReceive();
            _brokers = [.. ClusterSnapshot.Read(ref reader).Brokers];
            return true;
        }
        catch (Exception exception)
        {
            reason = exception is WireException ? exception.Message : $"{address}: {exception.Message}";
            if (!WireConnection.IsFailure(exception))
            {
                _logger.LogWireFault(exception, address.ToString());
            }

            return false;
        }
    }
}
