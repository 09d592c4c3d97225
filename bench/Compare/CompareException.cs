namespace OrleansMqtt.Compare;

/// <summary>The comparison cannot go on; the message is the one line that the user sees.</summary>
internal sealed class CompareException(string message) : Exception(message);
