using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.Compare;

/// <summary>A row of the table: a scenario on a server. Null result: the scenario is not available there, and why.</summary>
internal sealed record Measurement(string Scenario, string Server, RunResult? Result, string? Unavailable);
