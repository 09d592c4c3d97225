namespace OrleansMqtt.Log;

/// <summary>The implementations of <see cref="IMessageLog"/>.</summary>
public enum LogKind
{
    /// <summary>SQLite in one directory, for one process.</summary>
    Embedded,

    /// <summary>Apache Kafka.</summary>
    Kafka,
}
