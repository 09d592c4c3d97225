namespace OrleansMqtt.Storage.Kafka.Tests;

public interface IOwnPartitionGrain : IGrainWithIntegerKey, IStoragePartition;
