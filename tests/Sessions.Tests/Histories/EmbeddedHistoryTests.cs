using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Ours on the embedded log.</summary>
public sealed class EmbeddedHistoryTests() : HistoryTests(ServersUnderTest.Embedded);
