namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A broker cannot be reached, does not answer in time, or answers with what cannot be gone on with. What was asked is asked again, unless it is refused for good.</summary>
internal sealed class WireException(string message, short code = WireError.None) : Exception(message)
{
    /// <summary>Whether the same request would be refused again.</summary>
    public bool IsFinal => code != WireError.None && !WireError.IsRetriable(code);

    /// <summary>Whether somebody else has taken the producer's name over.</summary>
    public bool IsFenced => WireError.IsFenced(code);
}
