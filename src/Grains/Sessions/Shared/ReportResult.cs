namespace OrleansMqtt.Grains;

/// <summary>The answer to a <see cref="GroupReport"/>.</summary>
/// <param name="Outcome">What was done with it.</param>
/// <param name="OwnerGeneration">The generation of the groups' owner.</param>
[GenerateSerializer, Immutable, Alias("report-result")]
internal readonly record struct ReportResult([property: Id(0)] ReportOutcome Outcome, [property: Id(1)] long OwnerGeneration);
