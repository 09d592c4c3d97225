using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>How far a partition of the log was delivered.</summary>
/// <param name="Source">The partition.</param>
/// <param name="Position">The next offset; -1 when there is none.</param>
/// <param name="TopicId">The identity of the topic that the offsets are of; empty when it is not known.</param>
internal readonly record struct StoredPosition(TopicPartitionId Source, long Position, Guid TopicId = default);
