namespace OrleansMqtt.Log;

/// <summary>The one-line messages about topics that do not fit.</summary>
internal static class TopicCheck
{
    public static void ThrowIfInvalid(TopicSpecification topic)
    {
        var name = topic.Name;
        if (!TopicSpecification.IsValidName(name))
        {
            throw new LogConfigurationException($"Topic '{name}' has no valid name: letters, digits, '.', '_' and '-' are allowed, 1 to {TopicSpecification.MaximumNameLength} of them.");
        }

        if (topic.Partitions < 1)
        {
            throw new LogConfigurationException($"Topic '{name}' has {topic.Partitions} partitions configured: 1 or more are allowed.");
        }
    }

    public static LogConfigurationException WrongPartitions(TopicSpecification topic, int actual) =>
        new($"Topic '{topic.Name}' has {actual} partitions: {topic.Partitions} are configured, and the number cannot change once the topic holds records.");

    public static LogConfigurationException WrongCleanupPolicy(TopicSpecification topic, string actual) =>
        new($"Topic '{topic.Name}' has cleanup.policy={actual}: only cleanup.policy={(topic.IsCompacted ? "compact" : "delete")} is allowed for it.");

    public static LogConfigurationException TooLittleReplication(TopicSpecification topic, int actual, int wanted) =>
        new($"Topic '{topic.Name}' has replication factor {actual}: Log:Kafka:ReplicationFactor asks for {wanted} or more.");

    public static LogConfigurationException TooFewInSyncReplicas(TopicSpecification topic, string? actual, int replication) =>
        new($"Topic '{topic.Name}' has min.insync.replicas={actual ?? "unknown"}: with replication factor {replication}, 2 to {replication - 1} is allowed.");
}
