namespace OrleansMqtt.Storage.Kafka;

/// <summary>Owns the states of one partition. A grain that has a <see cref="PartitionStore"/> for other reasons can implement it too, over <see cref="StoredStates"/>.</summary>
public interface IStoragePartition : IGrain
{
    /// <summary>The state of a key.</summary>
    ValueTask<StoredState> ReadState(string key);

    /// <summary>Replaces the state of a key, if its ETag is <paramref name="etag"/> (null: if there is none); durable when it returns.</summary>
    ValueTask<StateChange> WriteState(string key, ReadOnlyMemory<byte> value, string? etag);

    /// <summary>Removes the state of a key, if its ETag is <paramref name="etag"/>; durable when it returns.</summary>
    ValueTask<StateChange> ClearState(string key, string? etag);
}
