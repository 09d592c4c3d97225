namespace OrleansMqtt.Log;

/// <summary>The configuration or an existing topic does not allow the log to work. The message is one line that names the setting, its value and what is allowed.</summary>
public sealed class LogConfigurationException(string message) : Exception(message);
