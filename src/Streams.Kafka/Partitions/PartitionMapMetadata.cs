namespace OrleansMqtt.Streams.Kafka;

/// <summary>How a silo says in Orleans' silo metadata (<c>UseSiloMetadata</c>) what it does. A silo without the key owns partitions.</summary>
public static class PartitionMapMetadata
{
    /// <summary>The metadata key: the silo's roles, separated by commas.</summary>
    public const string RoleKey = "orleansmqtt.role";

    /// <summary>The role of the silos that own partitions.</summary>
    public const string SiloRole = "silo";

    internal static bool OwnsPartitions(IReadOnlyDictionary<string, string> metadata)
        => !metadata.TryGetValue(RoleKey, out var roles)
            || roles.Split(',', StringSplitOptions.TrimEntries).Contains(SiloRole, StringComparer.OrdinalIgnoreCase);
}
