namespace OrleansMqtt.Log;

/// <summary>
/// The right to write under an owner's name (Kafka: a <c>transactional.id</c>), until somebody else opens the same name. One caller at a time.
/// </summary>
public interface ILogOwner : IAsyncDisposable
{
    /// <summary>Appends all records, or none, to their topics; readers see them together. Waits while the log is out of reach.</summary>
    /// <returns>The position of each record, in order.</returns>
    /// <exception cref="OwnerFencedException">A later owner of the name exists: nothing was written, and nothing will be any more.</exception>
    Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken);
}
