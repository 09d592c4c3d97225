namespace OrleansMqtt.Silo.Zilla;

/// <summary>A zilla.yaml that cannot be converted at all; the message is the line for whoever asked for it.</summary>
internal sealed class ZillaException(string message) : Exception(message);
