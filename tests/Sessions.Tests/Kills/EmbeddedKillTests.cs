using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>Ours on the embedded log.</summary>
public sealed class EmbeddedKillTests() : KillTests(ServersUnderTest.Embedded);
