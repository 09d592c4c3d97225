namespace OrleansMqtt.Grains;

/// <summary>A topic of the log.</summary>
public sealed class TopicOptions
{
    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its partitions, 1 to 1,000.</summary>
    public int Partitions { get; set; }
}
