using System.Buffers.Binary;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log.Kafka.Wire;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Creates the topics that are missing, and checks those that exist.</summary>
/// <param name="admin">Creates and describes.</param>
/// <param name="wire">Tells identities; null where <paramref name="admin"/> has to.</param>
/// <param name="options">The settings.</param>
/// <param name="logger">The logger.</param>
internal sealed class KafkaTopics(KafkaAdmin admin, WireQuery? wire, KafkaLogOptions options, ILogger logger)
{
    private const string MaximumRecord = "max.message.bytes";

    // By its own defaults Kafka compacts nothing before a gibibyte or a week, and keeps for a day what says that a key was deleted: an owner has to read all of that when it begins.
    private static readonly Dictionary<string, string> Compacted = new()
    {
        ["cleanup.policy"] = "compact",
        ["segment.bytes"] = "33554432",
        ["segment.ms"] = "3600000",
        ["min.cleanable.dirty.ratio"] = "0.2",
        ["delete.retention.ms"] = "3600000",
    };

    private static readonly DescribeTopicsOptions DescribeOptions = new() { RequestTimeout = KafkaAdmin.RequestLimit };
    private static readonly DescribeConfigsOptions ConfigOptions = new() { RequestTimeout = KafkaAdmin.RequestLimit };
    private static readonly CreateTopicsOptions CreateOptions = new() { RequestTimeout = KafkaAdmin.RequestLimit };
    private static readonly IncrementalAlterConfigsOptions AlterOptions = new() { RequestTimeout = KafkaAdmin.RequestLimit };

    /// <summary>Waits for Kafka. Returns the partitions of each topic, and the size of the largest batch that it takes.</summary>
    public async Task<Dictionary<string, (int Partitions, int LargestBatch)>> EnsureAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken)
    {
        foreach (var topic in topics)
        {
            TopicCheck.ThrowIfInvalid(topic);
        }

        return await RepeatAsync(() => TryEnsureAsync(topics, cancellationToken), cancellationToken);
    }

    /// <summary>Waits for Kafka. Returns the identity of each topic; empty where there is none.</summary>
    public Task<Guid[]> ReadIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken) => RepeatAsync(
        async () => wire is null ? [.. (await TryDescribeAsync(topics)).Select(IdOf)] : await wire.AskTopicIdentitiesAsync(topics).WaitAsync(cancellationToken), cancellationToken);

    private static Guid IdOf(TopicDescription? topic)
    {
        if (topic?.TopicId is not { } id)
        {
            return Guid.Empty;
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, id.MostSignificantBits);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], id.LeastSignificantBits);
        return new(bytes, bigEndian: true);
    }

    /// <summary>Until Kafka answers; that it does not is logged once.</summary>
    private async Task<TAnswer> RepeatAsync<TAnswer>(Func<Task<TAnswer>> ask, CancellationToken cancellationToken)
    {
        for (var hasLogged = false; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return await ask();
            }
            catch (Exception exception) when (exception is KafkaException or WireException)
            {
                if (!hasLogged)
                {
                    hasLogged = true;
                    logger.LogWaiting(options.BootstrapServers, exception is KafkaException { Error.Reason: var reason } ? reason : exception.Message);
                }

                await Task.Delay(500, cancellationToken);
            }
        }
    }

    private async Task<Dictionary<string, (int Partitions, int LargestBatch)>> TryEnsureAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken)
    {
        Dictionary<string, (int Partitions, int LargestBatch)> found = [];
        foreach (var topic in topics)
        {
            var existing = await DescribeAsync(topic.Name);
            if (existing is null)
            {
                await CreateAsync(topic);
                while ((existing = await DescribeAsync(topic.Name)) is null)
                {
                    await Task.Delay(50, cancellationToken);
                }

                if (existing.Partitions.Min(partition => partition.Replicas.Count) >= 3)
                {
                    await SetInSyncReplicasAsync(topic.Name);
                }
            }

            found[topic.Name] = (existing.Partitions.Count, await CheckAsync(topic, existing));
        }

        return found;
    }

    private async Task<TopicDescription?> DescribeAsync(string topic) => (await TryDescribeAsync([topic]))[0];

    /// <returns>Null for each topic that is not there.</returns>
    private async Task<TopicDescription?[]> TryDescribeAsync(IReadOnlyList<string> topics)
    {
        List<TopicDescription> found;
        await ThrowIfWithoutLeaderAsync(topics);
        try
        {
            found = (await admin.AskAsync(client => client.DescribeTopicsAsync(TopicCollection.OfTopicNames(topics), DescribeOptions))).TopicDescriptions;
        }
        catch (DescribeTopicsException exception) when (exception.Results.TopicDescriptions.All(static topic => topic.Error.Code is ErrorCode.NoError or ErrorCode.UnknownTopicOrPart))
        {
            found = exception.Results.TopicDescriptions;
        }

        return [.. topics.Select(name => found.Find(topic => topic.Name == name && topic.Error.Code == ErrorCode.NoError))];
    }

    /// <summary>The client cannot read the description of a partition that has no leader, and destroys itself or the process.</summary>
    private async Task ThrowIfWithoutLeaderAsync(IReadOnlyList<string> topics)
    {
        if (await admin.FindWithoutLeaderAsync(topics) is { } topic)
        {
            throw new KafkaException(new Error(ErrorCode.LeaderNotAvailable, $"A partition of topic '{topic}' has no leader."));
        }
    }

    private async Task CreateAsync(TopicSpecification topic)
    {
        Dictionary<string, string> configs = topic.IsCompacted ? new(Compacted) : new() { ["cleanup.policy"] = "delete" };
        configs[MaximumRecord] = options.MaximumRecordBytes.ToString(CultureInfo.InvariantCulture);
        try
        {
            Confluent.Kafka.Admin.TopicSpecification created = new() { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = options.ReplicationFactor, Configs = configs };
            await admin.AskAsync(client => client.CreateTopicsAsync([created], CreateOptions));
            logger.LogCreated(topic.Name, topic.Partitions);
        }
        catch (CreateTopicsException exception) when (exception.Results.All(result => result.Error.Code == ErrorCode.TopicAlreadyExists))
        {
            // Another process was faster.
        }
        catch (CreateTopicsException exception) when (exception.Results.Find(result => IsRefused(result.Error.Code)) is { } refused)
        {
            throw refused.Error.Code == ErrorCode.InvalidReplicationFactor && options.ReplicationFactor > 0
                ? new LogConfigurationException($"Log:Kafka:ReplicationFactor is {options.ReplicationFactor}, which Kafka refuses for topic '{topic.Name}': {refused.Error.Reason}")
                : new LogConfigurationException($"Topic '{topic.Name}' with {topic.Partitions} partitions cannot be created, Kafka refuses it: {refused.Error.Reason}");
        }
    }

    private async Task SetInSyncReplicasAsync(string topic)
    {
        ConfigResource resource = new() { Type = ResourceType.Topic, Name = topic };
        ConfigEntry entry = new() { Name = "min.insync.replicas", Value = "2", IncrementalOperation = AlterConfigOpType.Set };
        await admin.AskAsync(client => client.IncrementalAlterConfigsAsync(new() { [resource] = [entry] }, AlterOptions));
    }

    private static bool IsRefused(ErrorCode code) => code is ErrorCode.InvalidReplicationFactor or ErrorCode.InvalidPartitions or ErrorCode.InvalidConfig
        or ErrorCode.PolicyViolation or ErrorCode.TopicException or ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed;

    /// <returns>The largest batch that the topic takes.</returns>
    private async Task<int> CheckAsync(TopicSpecification topic, TopicDescription existing)
    {
        if (existing.Partitions.Count != topic.Partitions && !topic.AcceptAnyPartitionCount)
        {
            throw TopicCheck.WrongPartitions(topic, existing.Partitions.Count);
        }

        var replication = existing.Partitions.Min(partition => partition.Replicas.Count);
        if (replication < options.ReplicationFactor)
        {
            throw TopicCheck.TooLittleReplication(topic, replication, options.ReplicationFactor);
        }

        ConfigResource resource = new() { Type = ResourceType.Topic, Name = topic.Name };
        var configs = (await admin.AskAsync(client => client.DescribeConfigsAsync([resource], ConfigOptions)))[0].Entries;
        var policy = configs["cleanup.policy"].Value;
        if (policy.Split(',').Contains("compact") != topic.IsCompacted || (topic.IsCompacted && policy != "compact"))
        {
            throw TopicCheck.WrongCleanupPolicy(topic, policy);
        }

        var largest = int.TryParse(configs[MaximumRecord].Value, CultureInfo.InvariantCulture, out var bytes) ? bytes : int.MaxValue;
        if (largest < options.MaximumRecordBytes)
        {
            logger.LogSmallRecords(topic.Name, largest, options.MaximumRecordBytes);
        }

        var inSync = configs["min.insync.replicas"].Value;
        if (replication >= 3 && (!int.TryParse(inSync, out var minimum) || minimum < 2 || minimum >= replication))
        {
            throw TopicCheck.TooFewInSyncReplicas(topic, inSync, replication);
        }

        return largest;
    }
}
