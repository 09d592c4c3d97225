using Microsoft.Extensions.Logging;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>
/// Sends the publishes of this edge's clients that are to be retained to one partition of the retained topic. What fails is sent again, and stored once, as long as the partition's
/// owner is the same.
/// </summary>
internal sealed class RetainedSender(IEdgeGrains grains, int partition, TimeProvider time, ILogger logger) : RunSender<RetainedRun>
{
    private readonly IRetainedPartitionGrain _grain = grains.GetRetainedPartition(partition);
    private long _sequence;
    private long _generation;

    protected override async Task SendAsync(List<RetainedRun> runs, int count)
    {
        // A new array each time: a batch that was handed over must not change.
        var messages = new MqttMessage[count];
        var next = 0;
        foreach (var run in runs)
        {
            run.TakeMessages(messages.AsSpan(next, run.Count));
            next += run.Count;
        }

        var outcomes = await SendAsync(messages);
        next = 0;
        foreach (var run in runs)
        {
            run.Settle(outcomes.AsSpan(next, run.Count));
            next += run.Count;
        }
    }

    private async Task<EntryOutcome[]> SendAsync(MqttMessage[] messages)
    {
        var sequence = ++_sequence;
        var isRetry = false;
        for (var pause = RetryPause.Shortest; ; pause = RetryPause.After(pause))
        {
            try
            {
                RetainedPublishBatch batch = new() { Edge = grains.Edge, Sequence = sequence, Generation = isRetry ? _generation : 0, Messages = messages };
                var result = await _grain.Publish(batch);
                _generation = result.Generation;
                if (result.IsStored is not { } isStored)
                {
                    return await SendAgainAsync(messages);
                }

                return isStored.Length == messages.Length
                    ? Array.ConvertAll(isStored, static each => each ? EntryOutcome.Done : EntryOutcome.Refused)
                    : throw new InvalidOperationException($"{messages.Length} messages have {isStored.Length} outcomes.");
            }
            catch (Exception exception)
            {
                logger.PublishRetainedFailed(partition, exception.Message);
            }

            isRetry = true;
            await Task.Delay(pause, time);
        }
    }

    /// <summary>
    /// The owner changed while a batch was under way, and nobody knows whether it was stored: QoS 1 is stored, perhaps again; QoS 0 is not, and nobody waits for it; QoS 2 of a session
    /// that ends with its connection is not acknowledged.
    /// </summary>
    private async Task<EntryOutcome[]> SendAgainAsync(MqttMessage[] messages)
    {
        var outcomes = Array.ConvertAll(messages, static message => message.QoS == 0 ? EntryOutcome.Done : EntryOutcome.Failed);
        var again = Array.FindAll(messages, static message => message.QoS == 1);
        if (again.Length > 0)
        {
            var settled = await SendAsync(again);
            for (int i = 0, next = 0; i < messages.Length; i++)
            {
                outcomes[i] = messages[i].QoS == 1 ? settled[next++] : outcomes[i];
            }
        }

        return outcomes;
    }
}
