using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A worker for one broker: connects to where the cluster says that it is, and rests longer and longer while that fails.</summary>
internal abstract class BrokerWorker(int broker, WireSettings settings, ClusterMetadata metadata, ILogger logger, string name) : WireWorker(settings, name)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(1);
    private int _failures;

    protected int Broker => broker;

    /// <summary>Connects, unless there is a connection whose login has not expired.</summary>
    protected void EnsureConnected()
    {
        if (Connection is { IsExpired: false })
        {
            return;
        }

        Close();
        Connect(metadata.Current.AddressOf(broker) ?? throw new WireException($"Broker {broker} is not known any more."));
    }

    protected void OnSuccess() => _failures = 0;

    /// <summary>Ends the connection and says why; false when the worker is being stopped, which is no failure.</summary>
    protected bool TryFail(Exception exception)
    {
        Close();
        if (IsStopping)
        {
            return false;
        }

        if (WireConnection.IsFailure(exception))
        {
            logger.LogConnectionFailed(broker, exception.Message);
        }
        else
        {
            logger.LogWireFault(exception, $"broker {broker}");
        }

        return true;
    }

    protected void BackOff()
    {
        var backoff = FirstBackoff * Math.Pow(2, Math.Min(_failures++, 10));
        Rest(backoff < LongestBackoff ? backoff : LongestBackoff);
    }
}
