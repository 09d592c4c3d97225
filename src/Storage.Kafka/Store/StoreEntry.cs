namespace OrleansMqtt.Storage.Kafka;

/// <summary>The newest value of a key, as a partition held it when its store was opened. The memory belongs to whoever takes the entry.</summary>
public readonly record struct StoreEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, long Offset);
