namespace OrleansMqtt.Log;

/// <summary>Follows one partition. One caller at a time.</summary>
public interface ILogReader : IAsyncDisposable
{
    /// <summary>The offset that the next batch starts at.</summary>
    long Position { get; }

    /// <summary>
    /// Waits until there is something to read and returns it: consecutive batches join (<c>next.From == previous.To</c>). What was read ahead is bounded. While the log is
    /// out of reach it waits. Cancelling loses nothing.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">The position was removed by retention, or lies beyond the end.</exception>
    ValueTask<LogBatch> ReadAsync(int maxRecords, CancellationToken cancellationToken);

    /// <summary>Goes on from another offset.</summary>
    void Seek(long offset);
}
