namespace OrleansMqtt.Edge.Transport;

/// <summary>A connection's bytes, whose reader can run on the transport's own thread, which saves the way through the thread pool.</summary>
internal interface IInlineReading
{
    /// <summary>
    /// Whether who waits for bytes goes on upon the thread that received them. Only for code that never blocks and is short: all connections of that thread wait meanwhile.
    /// </summary>
    bool ReadsInline { get; set; }
}
