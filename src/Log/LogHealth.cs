namespace OrleansMqtt.Log;

/// <summary>Whether the log answers, and if not, why.</summary>
public readonly record struct LogHealth(bool IsReachable, string Description);
