using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>A call that waits for its transaction. Its continuations do not run on the committer.</summary>
internal sealed class PendingCommit(StoreRecord[] records, long bytes) : TaskCompletionSource<AppendResult[]>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public StoreRecord[] Records => records;

    public long Bytes => bytes;
}
