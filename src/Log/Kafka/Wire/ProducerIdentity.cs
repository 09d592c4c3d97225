namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A producer, and how often its name was taken over.</summary>
internal readonly record struct ProducerIdentity(long Id, short Epoch);
