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
    /// Discards what a transaction with these records, that failed under this name, may have left open on the log: nobody could read what follows it. To be called by the next owner, before
    /// it appends.
    /// </summary>
    /// <exception cref="OwnerFencedException">As above.</exception>
    /// <exception cref="OwnerFailedException">As above.</exception>
    Task DiscardAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken);

    /// <summary>
    /// Completes when the next transaction would not be held up any more by what the log still has to do for the last one, at once or within milliseconds: whoever gathers
    /// records for it does so until then.
    /// </summary>
    ValueTask WaitForTurnAsync();
}
