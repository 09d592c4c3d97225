namespace OrleansMqtt.Log.Embedded;

/// <summary>Settings of the embedded log (<c>Log:Embedded</c>): one directory on one machine, used by one process.</summary>
public sealed class EmbeddedLogOptions
{
    /// <summary>The directory of the log, relative to the working directory; made when missing.</summary>
    public string Directory { get; set; } = "data";

    /// <summary>How long records of topics that are not compacted are kept, in hours; 0 keeps them for good.</summary>
    public double RetentionHours { get; set; } = 168;

    /// <summary>How many bytes a partition of a topic that is not compacted keeps at most, in whole batches; 0 means no limit.</summary>
    public long RetentionBytes { get; set; }

    /// <summary>How long a deleted key's tombstone stays readable in a compacted topic, in hours.</summary>
    public double TombstoneHours { get; set; } = 24;

    /// <summary>How often retention is applied, in seconds.</summary>
    public double RetentionCheckSeconds { get; set; } = 60;

    /// <summary>How many bytes of its newest records a partition keeps in memory for readers that are near the end.</summary>
    public int RecentBytes { get; set; } = 4 * 1024 * 1024;
}
