using System.Text;
using Orleans.Concurrency;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Resolves the route of its topic once, and hands each record to the log before its first await, so that the order on the log is that of the calls.
/// </summary>
[StatelessWorker(1, removeIdleWorkers: false), Reentrant, CollectionAgeLimit(Minutes = 1)]
internal sealed class TopicGrain(IMessageLog log, TopicRoutes routes, RecordCodec codec) : Grain, ITopicGrain
{
    private PublishPath _path;
    private byte[] _key = null!;
    private LogHeader[] _topicHeaders = null!;
    private int? _partition;
    private string? _publisher;
    private ReadOnlyMemory<byte>? _local;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var mqttTopic = this.GetPrimaryKeyString();
        _path = routes.PathOf(mqttTopic);
        _key = _path.KeyOf(client: null);
        _topicHeaders = codec.TopicHeaders(mqttTopic, _path.IsKeyedByTopic);
        _partition = _path.PartitionIn(log);
        return Task.CompletedTask;
    }

    public ValueTask Publish(PublishBatch batch)
    {
        var messages = batch.Messages;
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            if (!ReferenceEquals(_publisher, message.PublisherClientId))
            {
                _publisher = message.PublisherClientId;
                _local = _publisher is null ? null : Encoding.UTF8.GetBytes(_publisher);
                _key = _path.IsKeyedByClient ? _path.KeyOf(_publisher) : _key;
            }

            var replyTopic = message.Properties?.ResponseTopic is { } responseTopic ? routes.ReplyTopicOf(responseTopic) : null;
            log.Append(_path.Topic, codec.Encode(_key, message, _local, replyTopic, _topicHeaders, _partition), batch.Completion, batch.FirstState + i);
        }

        GrainInstruments.Published.Add(messages.Count);
        return ValueTask.CompletedTask;
    }
}
