namespace OrleansMqtt.Log.Tests;

public sealed class ConfluentLogTests() : KafkaLogContract("Confluent");
