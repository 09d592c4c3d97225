namespace OrleansMqtt.Hosting;

/// <summary>What a process does.</summary>
[Flags]
public enum ClusterRoles
{
    /// <summary>Nothing: not a setting.</summary>
    None = 0,

    /// <summary>It owns partitions: sessions, retained messages, routing.</summary>
    Silo = 1,

    /// <summary>It ends MQTT connections.</summary>
    Edge = 2,
}
