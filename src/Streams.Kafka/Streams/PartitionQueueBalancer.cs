using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Gives each silo the queues of the partitions it owns.</summary>
internal sealed partial class PartitionQueueBalancer(IPartitionMapSource map, ILocalSiloDetails silo, ILogger<PartitionQueueBalancer> logger) : IStreamQueueBalancer
{
    private readonly List<IStreamQueueBalanceListener> _listeners = [];
    private LogQueueMapper? _mapper;

    public Task Initialize(IStreamQueueMapper queueMapper)
    {
        _mapper = (LogQueueMapper)queueMapper;
        map.Changed += OnChanged;
        return Task.CompletedTask;
    }

    public Task Shutdown()
    {
        map.Changed -= OnChanged;
        return Task.CompletedTask;
    }

    public IEnumerable<QueueId> GetMyQueues()
    {
        var current = map.Current;
        return _mapper!.GetAllQueues().Where(queue => silo.SiloAddress.Equals(current.GetOwner(_mapper.GetPartition(queue)))).ToArray();
    }

    public bool SubscribeToQueueDistributionChangeEvents(IStreamQueueBalanceListener observer)
    {
        lock (_listeners)
        {
            if (_listeners.Contains(observer))
            {
                return false;
            }

            _listeners.Add(observer);
            return true;
        }
    }

    public bool UnSubscribeFromQueueDistributionChangeEvents(IStreamQueueBalanceListener observer)
    {
        lock (_listeners)
        {
            return _listeners.Remove(observer);
        }
    }

    private void OnChanged()
    {
        IStreamQueueBalanceListener[] listeners;
        lock (_listeners)
        {
            listeners = [.. _listeners];
        }

        foreach (var listener in listeners)
        {
            _ = NotifyAsync(listener);
        }
    }

    private async Task NotifyAsync(IStreamQueueBalanceListener listener)
    {
        try
        {
            await Task.Run(listener.QueueDistributionChangeNotification);
        }
        catch (Exception exception)
        {
            LogNotificationFailed(exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The change of the partition map did not reach the stream queues.")]
    private partial void LogNotificationFailed(Exception exception);
}
