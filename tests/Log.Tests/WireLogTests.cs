namespace OrleansMqtt.Log.Tests;

public sealed class WireLogTests() : KafkaLogContract("Wire");
