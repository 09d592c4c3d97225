using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>The rounds are right: a server that is not ours passes, when it may store before it ends.</summary>
public sealed class MosquittoKillTests() : KillTests(ServersUnderTest.Mosquitto);
