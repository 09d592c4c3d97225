namespace OrleansMqtt.Edge.Publishing;

/// <summary>The ways of what a client sends.</summary>
[Flags]
internal enum RunPaths
{
    /// <summary>Answered by the edge itself.</summary>
    None = 0,

    /// <summary>Messages to the log, by their topic's grain.</summary>
    Log = 1,

    /// <summary>QoS 2 messages to the session partition, which stores them together with their packet identifiers.</summary>
    Session = 2,

    /// <summary>PUBRELs to the session partition: no message has to wait for them.</summary>
    Releases = 4,

    /// <summary>Messages to the partitions of the retained topic, which store them together with their retained copies.</summary>
    Retained = 8,

    All = Log | Session | Releases | Retained,
}
