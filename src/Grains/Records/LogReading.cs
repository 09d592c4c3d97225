using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Reads stretches of the log for those who know that there is more.</summary>
internal static class LogReading
{
    private const int SightMilliseconds = 10;
    private const int RetryMilliseconds = 200;

    /// <summary>Reads on from an offset, at least up to the next. Waits while the log is out of reach, and for what is committed to be seen: the end can move back for a moment.</summary>
    /// <param name="log">The log.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="from">The offset.</param>
    /// <param name="maximum">The most records.</param>
    /// <param name="failed">Called after an attempt that failed.</param>
    /// <exception cref="OffsetOutOfRangeException">The log does not hold the offset any more.</exception>
    public static async Task<LogBatch> ReadOnAsync(this IMessageLog log, TopicPartitionId partition, long from, int maximum, Action<Exception> failed)
    {
        while (true)
        {
            try
            {
                var batch = await log.ReadRangeAsync(partition.Topic, partition.Partition, from, maximum, CancellationToken.None);
                if (batch.To > from)
                {
                    return batch;
                }

                await Task.Delay(SightMilliseconds);
            }
            catch (Exception exception) when (exception is not (OffsetOutOfRangeException or ObjectDisposedException))
            {
                failed(exception);
                await Task.Delay(RetryMilliseconds);
            }
        }
    }
}
