using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// Gives each silo the queues of the partitions it owns. A queue that was here stays as long as a grain that serves its partition does: a consumer that waits for its move goes on with
/// it, while the new owner starts. What two of them deliver is the same.
/// </summary>
internal sealed partial class PartitionQueueBalancer(
    IPartitionMapSource map, PartitionGrains grains, ILocalSiloDetails silo, ILogger<PartitionQueueBalancer> logger) : IStreamQueueBalancer
{
    private readonly HashSet<QueueId> _mine = [];
    private readonly List<IStreamQueueBalanceListener> _listeners = [];
    private LogQueueMapper? _mapper;

    public Task Initialize(IStreamQueueMapper queueMapper)
    {
        _mapper = (LogQueueMapper)queueMapper;
        map.Changed += OnChanged;
        grains.Left += OnLeft;
        return Task.CompletedTask;
    }

    public Task Shutdown()
    {
        map.Changed -= OnChanged;
        grains.Left -= OnLeft;
        return Task.CompletedTask;
    }

    public IEnumerable<QueueId> GetMyQueues()
    {
        var current = map.Current;
        var served = grains.ServedPartitions();
        lock (_mine)
        {
            _mine.RemoveWhere(queue => !served.Contains(_mapper!.GetPartition(queue)));
            _mine.UnionWith(_mapper!.GetAllQueues().Where(queue => silo.SiloAddress.Equals(current.GetOwner(_mapper.GetPartition(queue)))));
            return [.. _mine];
        }
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

    private void OnLeft(TopicPartitionId partition)
    {
        bool isHeld;
        lock (_mine)
        {
            isHeld = _mine.Any(queue => _mapper!.GetPartition(queue) == partition);
        }

        if (isHeld && !silo.SiloAddress.Equals(map.Current.GetOwner(partition)))
        {
            OnChanged();
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
