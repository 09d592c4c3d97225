using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>Ours on Kafka.</summary>
public sealed class KafkaKillTests() : KillTests(ServersUnderTest.Kafka);
