namespace OrleansMqtt.Log.Kafka;

/// <summary>The client that carries records to Kafka and back. Topics are made, and transactions written, by the Confluent client.</summary>
public enum KafkaTransport
{
    /// <summary>The wire client, unless a setting of a client is given that it does not know.</summary>
    Auto,

    /// <summary>The client of this project: one request for all partitions of a broker, no memory per record appended.</summary>
    Wire,

    /// <summary>Confluent.Kafka (librdkafka).</summary>
    Confluent,
}
