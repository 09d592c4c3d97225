using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>A record of a commit.</summary>
/// <param name="Topic">The topic that it goes to; it need not be the store's own.</param>
/// <param name="Record">The record; its memory may not change until the commit is done. On the store's own topic it goes to the store's partition.</param>
/// <param name="IsKept">
/// Whether it is written even when a later record of the same transaction has the same key. Matters for the store's own partition alone: records of other topics are all written.
/// </param>
public readonly record struct StoreRecord(string Topic, LogRecord Record, bool IsKept = false);
