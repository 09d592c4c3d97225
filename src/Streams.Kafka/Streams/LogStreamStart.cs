namespace OrleansMqtt.Streams.Kafka;

/// <summary>Where a consumer that names no token starts.</summary>
public enum LogStreamStart
{
    /// <summary>At the end of the partition: it gets what is appended from now on.</summary>
    End,

    /// <summary>At the first record that is stored.</summary>
    Beginning,
}
