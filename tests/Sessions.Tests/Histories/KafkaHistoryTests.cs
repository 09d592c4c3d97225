using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Ours on Kafka.</summary>
public sealed class KafkaHistoryTests() : HistoryTests(ServersUnderTest.Kafka);
