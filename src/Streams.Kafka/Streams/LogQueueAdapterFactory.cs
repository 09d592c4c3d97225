using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Builds the parts of a log stream provider.</summary>
internal sealed class LogQueueAdapterFactory(
    string name, LogStreamOptions options, IMessageLog log, LogStreamMetrics metrics, ILoggerFactory loggers) : IQueueAdapterFactory
{
    private LogQueueMapper? _mapper;
    private LogQueueAdapter? _adapter;

    public static LogQueueAdapterFactory Create(IServiceProvider services, string name)
        => ActivatorUtilities.CreateInstance<LogQueueAdapterFactory>(services, name, services.GetRequiredService<IOptionsMonitor<LogStreamOptions>>().Get(name));

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(Adapter);

    public IQueueAdapterCache GetQueueAdapterCache() => Adapter;

    public IStreamQueueMapper GetStreamQueueMapper() => Mapper;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId)
        => Task.FromResult<IStreamFailureHandler>(new LogStreamFailureHandler(metrics, loggers.CreateLogger<LogStreamFailureHandler>()));

    private LogQueueMapper Mapper => _mapper ??= new LogQueueMapper(options.Topics, log.GetPartitionCount);

    private LogQueueAdapter Adapter => _adapter ??= new LogQueueAdapter(
        name, Mapper, partition => new PartitionQueue(partition, options, log, metrics, loggers.CreateLogger<PartitionQueue>()));
}
