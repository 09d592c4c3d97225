namespace OrleansMqtt.Silo;

/// <summary>The ports that silos talk over. Configuration section <c>Cluster</c>.</summary>
internal sealed class ClusterOptions
{
    /// <summary>The silo's port; 0 takes a free one.</summary>
    public int SiloPort { get; set; }

    /// <summary>Reads the section, or fails with a line that names the setting.</summary>
    public static ClusterOptions From(IConfiguration configuration)
    {
        var options = configuration.GetSection("Cluster").Get<ClusterOptions>() ?? new();
        return options.SiloPort is >= 0 and <= ushort.MaxValue
            ? options
            : throw new Log.LogConfigurationException($"Cluster:SiloPort is {options.SiloPort}: it must be 0 (a free port) to 65535.");
    }
}
