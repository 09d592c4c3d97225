namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// The packet identifiers of the QoS 2 messages that a client has sent over this connection and not released, each with the place of its PUBREC among the answers. Used by
/// the reading loop only.
/// </summary>
internal sealed class ReceivedQoS2
{
    /// <summary>What grew beyond this is let go when no identifier is left.</summary>
    private const int KeptIdentifiers = 1024;

    private readonly Dictionary<ushort, long> _answers = [];

    /// <summary>Remembers an identifier; false when it is known.</summary>
    public bool TryAdd(ushort packetId, long answer) => _answers.TryAdd(packetId, answer);

    /// <summary>Forgets an identifier; false when it is not known.</summary>
    public bool TryRemove(ushort packetId, out long answer)
    {
        if (!_answers.Remove(packetId, out answer))
        {
            return false;
        }

        if (_answers.Count == 0 && _answers.Capacity > KeptIdentifiers)
        {
            _answers.TrimExcess();
        }

        return true;
    }
}
