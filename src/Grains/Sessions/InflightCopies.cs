using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// The retained messages that a session has in flight. A reference does not do for them: a newer message of the topic may replace one before the client has acknowledged it, and it has
/// to come again all the same ([MQTT-4.4.0-1]). They are stored with what is in flight, and are in memory only until then.
/// </summary>
internal sealed class InflightCopies
{
    private readonly Dictionary<ushort, InflightCopy> _copies = [];

    // How many records of each packet identifier are on the log.
    private readonly Dictionary<ushort, int> _stored = [];

    public void Add(ushort packetId, MessageReference reference, MqttMessage message) => _copies[packetId] = new(reference) { Message = message };

    /// <summary>Takes what is stored for a packet identifier: of the message that is in flight, or of none any more.</summary>
    public void Load(ushort packetId, MessageReference? reference, StoredCopy stored)
    {
        _stored[packetId] = stored.Parts;
        if (reference is { } known)
        {
            _copies[packetId] = new(known) { Stored = stored };
        }
    }

    /// <summary>The message that is in flight; null when it was none that was retained.</summary>
    public InflightCopy? Find(ushort packetId, MessageReference reference) => _copies.TryGetValue(packetId, out var copy) && copy.Reference == reference ? copy : null;

    /// <summary>It need not be sent again.</summary>
    public void End(ushort packetId) => _copies.Remove(packetId);

    /// <summary>Nothing is sent for now.</summary>
    public void Release()
    {
        foreach (var copy in _copies.Values)
        {
            copy.Release();
        }
    }

    /// <summary>Adds what has to be stored or removed so that the log holds what is in flight now.</summary>
    public void Store(string clientId, InflightWindow window, string topic, List<StoreRecord> records)
    {
        foreach (var (packetId, copy) in _copies)
        {
            if (window.Find(packetId) is not { IsReleased: false } inflight || inflight.Reference != copy.Reference)
            {
                _copies.Remove(packetId);
            }
            else if (!copy.IsStored)
            {
                var parts = copy.Store(clientId, packetId, topic, records);
                RemoveParts(clientId, packetId, parts, topic, records);
                _stored[packetId] = parts;
            }
        }

        foreach (var packetId in _stored.Keys)
        {
            if (!_copies.ContainsKey(packetId))
            {
                RemoveParts(clientId, packetId, 0, topic, records);
                _stored.Remove(packetId);
            }
        }
    }

    /// <summary>Adds what removes all that is stored: nothing of the session is sent again.</summary>
    public void RemoveStored(string clientId, string topic, List<StoreRecord> records)
    {
        foreach (var packetId in _stored.Keys)
        {
            RemoveParts(clientId, packetId, 0, topic, records);
        }

        _stored.Clear();
        _copies.Clear();
    }

    /// <summary>A commit to which something was added is on the log.</summary>
    public void NoteStored(List<StoreRecord> records, ReadOnlySpan<AppendResult> results)
    {
        foreach (var (packetId, copy) in _copies)
        {
            copy.NoteStored(records, results, _stored.GetValueOrDefault(packetId));
        }
    }

    /// <summary>What was added last was not stored: it is added again.</summary>
    public void NoteRefused()
    {
        foreach (var copy in _copies.Values)
        {
            copy.NoteRefused();
        }
    }

    private void RemoveParts(string clientId, ushort packetId, int from, string topic, List<StoreRecord> records)
    {
        for (var part = from; part < _stored.GetValueOrDefault(packetId); part++)
        {
            records.Add(new(topic, new() { Key = SessionKeys.Copy(clientId, packetId, part), Value = null }));
        }
    }
}
