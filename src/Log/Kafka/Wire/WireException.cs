namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A broker cannot be reached, does not answer in time, or answers with what cannot be gone on with. What was asked is asked again.</summary>
internal sealed class WireException(string message) : Exception(message);
