namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>What a process used in the measured interval; memory in bytes (resident set).</summary>
internal sealed record ProcessResult(
    string Name,
    int ProcessId,
    double CpuSeconds,
    double? CpuMicrosecondsPerMessage,
    long ResidentStart,
    long ResidentEnd,
    long ResidentPeak,
    long? BytesPerConnection);
