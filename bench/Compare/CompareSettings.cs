namespace OrleansMqtt.Compare;

/// <summary>What is compared, and how long. Times in seconds.</summary>
internal sealed record CompareSettings(
    string Repository,
    string Output,
    IReadOnlyList<string> Servers,
    IReadOnlyList<CompareScenario> Scenarios,
    double Duration,
    double WarmUp,
    double KafkaWarmUp,
    int Repetitions,
    int Connections,
    string ServerProgram);
