namespace OrleansMqtt.Streams.Kafka;

/// <summary>How a silo says in Orleans' silo metadata (<c>UseSiloMetadata</c>) what it does. A silo without the key owns partitions.</summary>
public static class PartitionMapMetadata
{
    /// <summary>The metadata key: the silo's roles, separated by commas.</summary>
    public const string RoleKey = "orleansmqtt.role";

    /// <summary>The role of the silos that own partitions.</summary>
    public const string SiloRole = "silo";

    /// <summary>The role of the silos that end client connections.</summary>
    public const string EdgeRole = "edge";

    /// <summary>Whether a silo with this metadata has a role; one that says nothing has all.</summary>
    public static bool HasRole(IReadOnlyDictionary<string, string> metadata, string role)
        => !metadata.TryGetValue(RoleKey, out var roles)
            || roles.Split(',', StringSplitOptions.TrimEntries).Contains(role, StringComparer.OrdinalIgnoreCase);
}
