namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks a broker about partitions, most questions about those that it leads; has an answer for those that the broker answers for.</summary>
internal delegate Dictionary<TopicPartitionId, TAnswer> WireQuestion<TAnswer>(WireConnection connection, TopicPartitionId[] partitions);
