namespace OrleansMqtt.Log;

/// <summary>
/// The right to write under an owner's name (Kafka: a <c>transactional.id</c>), until somebody else opens the same name. One caller at a time.
/// </summary>
public interface ILogOwner : IAsyncDisposable
{
    /// <summary>Appends all records, or none, to their topics; readers see them together. Waits while the log is out of reach.</summary>
    /// <returns>The position of each record, in order.</returns>
    /// <exception cref="OwnerFencedException">
    /// This owner has ended, nearly always because a later owner of the name exists: nothing will be written any more. Nothing of these records was, unless the owner lost its
    /// right while it waited for the answer to its commit: then only the log can tell.
    /// </exception>
    /// <exception cref="OwnerFailedException">This owner has ended, but without a sign of a later one. Nothing of these records was written.</exception>
    /// <exception cref="ArgumentException">The log will never take a record of these: nothing was written. The next transaction is not affected.</exception>
    Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken);

    /// <summary>
    /// Completes when the last transaction has ended on the log, mostly within milliseconds: before, the next one would be held up. Whoever gathers records for it does so until then.
    /// To be called after each transaction.
    /// </summary>
    /// <exception cref="OwnerFailedException">The log has lost the end of the last transaction, whatever became of it. The next owner of the name ends it.</exception>
    Task SettleAsync();
}
