using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>The model is right: a server that is not ours keeps to it.</summary>
public sealed class MosquittoHistoryTests() : HistoryTests(ServersUnderTest.Mosquitto);
