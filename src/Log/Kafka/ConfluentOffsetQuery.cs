using Confluent.Kafka;
using Confluent.Kafka.Admin;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Asks by the Confluent client.</summary>
internal sealed class ConfluentOffsetQuery(KafkaAdmin admin) : IOffsetQuery
{
    public async Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskAsync(IReadOnlySet<TopicPartitionId> partitions)
    {
        var requests = await Task.WhenAll(
            ListAsync(partitions, OffsetSpec.Earliest(), IsolationLevel.ReadCommitted),
            ListAsync(partitions, OffsetSpec.Latest(), IsolationLevel.ReadCommitted),
            ListAsync(partitions, OffsetSpec.Latest(), IsolationLevel.ReadUncommitted));
        var answered = partitions.Where(partition => requests.All(answers => answers.ContainsKey(partition))).ToDictionary(
            partition => partition, partition => new PartitionOffsets(requests[0][partition], requests[1][partition], requests[2][partition]));
        await RefreshLeadersAsync(partitions.Except(answered.Keys));
        return answered;
    }

    /// <summary>
    /// The client remembers for minutes that a partition had no leader, as all of a broker that just started, and asks no broker meanwhile: it is made to look again.
    /// </summary>
    private async Task RefreshLeadersAsync(IEnumerable<TopicPartitionId> unanswered)
    {
        foreach (var topic in unanswered.Select(partition => partition.Topic).Distinct())
        {
            try
            {
                await admin.RefreshLeadersAsync(topic);
            }
            catch (KafkaException)
            {
                // Away: the next request finds out too.
                return;
            }
        }
    }

    /// <summary>The offsets of the partitions that Kafka answers for.</summary>
    private async Task<Dictionary<TopicPartitionId, long>> ListAsync(IEnumerable<TopicPartitionId> partitions, OffsetSpec spec, IsolationLevel isolation)
    {
        List<ListOffsetsResultInfo> answers;
        try
        {
            var request = partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(partition.Topic, partition.Partition), OffsetSpec = spec });
            answers = (await admin.AskAsync(client => client.ListOffsetsAsync(request, new() { IsolationLevel = isolation, RequestTimeout = KafkaAdmin.RequestLimit }))).ResultInfos;
        }
        catch (ListOffsetsException exception)
        {
            answers = exception.Result.ResultInfos;
        }
        catch (KafkaException exception) when (!exception.Error.IsFatal)
        {
            answers = [];
        }

        return answers
            .Select(answer => answer.TopicPartitionOffsetError)
            .Where(answer => answer.Error.Code == ErrorCode.NoError)
            .ToDictionary(answer => new TopicPartitionId(answer.Topic, answer.Partition.Value), answer => answer.Offset.Value);
    }
}
