namespace OrleansMqtt.Storage.Kafka;

/// <summary>The owner of a partition that holds states and nothing else; key <c>topic/partition</c>.</summary>
[Alias("storage-partition")]
internal interface IStoragePartitionGrain : IGrainWithStringKey, IStoragePartition;
