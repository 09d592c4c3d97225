namespace OrleansMqtt.LoadGenerator;

/// <summary>A run cannot go on; the message is the one line that the user sees.</summary>
internal sealed class LoadException(string message, int exitCode = ExitCodes.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
