using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// The retained messages that a session has in flight. A reference does not do for them: a newer message of the topic may replace one before the client has acknowledged it, and it has
/// to come again all the same ([MQTT-4.4.0-1]). They are stored with what is in flight.
/// </summary>
internal sealed class InflightCopies
{
    private readonly Dictionary<ushort, Copy> _copies = [];

    // How many records of each packet identifier are on the log.
    private readonly Dictionary<ushort, int> _stored = [];

    public void Add(ushort packetId, MessageReference reference, MqttMessage message) => _copies[packetId] = new(reference, message);

    /// <summary>Takes what is stored.</summary>
    public void Load(ushort packetId, MessageReference reference, MqttMessage message) => _copies[packetId] = new(reference, message) { IsStored = true };

    /// <summary>Takes how many records of a packet identifier are stored.</summary>
    public void LoadParts(ushort packetId, int parts) => _stored[packetId] = parts;

    /// <summary>The message that is in flight; null when it was none that was retained.</summary>
    public MqttMessage? Find(ushort packetId, MessageReference reference) => _copies.TryGetValue(packetId, out var copy) && copy.Reference == reference ? copy.Message : null;

    /// <summary>It need not be sent again.</summary>
    public void End(ushort packetId) => _copies.Remove(packetId);

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
                var part = 0;
                foreach (var value in MessageCopyRecord.Encode(copy.Message))
                {
                    records.Add(new(topic, new() { Key = SessionKeys.Copy(clientId, packetId, part++), Value = value }));
                }

                RemoveParts(clientId, packetId, part, topic, records);
                _stored[packetId] = part;
                copy.IsStored = true;
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

    /// <summary>Adds what removes all that is stored.</summary>
    public void RemoveStored(string clientId, string topic, List<StoreRecord> records)
    {
        foreach (var packetId in _stored.Keys)
        {
            RemoveParts(clientId, packetId, 0, topic, records);
        }

        _stored.Clear();
        NoteRefused();
    }

    /// <summary>What was added last was not stored: it is added again.</summary>
    public void NoteRefused()
    {
        foreach (var copy in _copies.Values)
        {
            copy.IsStored = false;
        }
    }

    private void RemoveParts(string clientId, ushort packetId, int from, string topic, List<StoreRecord> records)
    {
        for (var part = from; part < _stored.GetValueOrDefault(packetId); part++)
        {
            records.Add(new(topic, new() { Key = SessionKeys.Copy(clientId, packetId, part), Value = null }));
        }
    }

    private sealed class Copy(MessageReference reference, MqttMessage message)
    {
        public MessageReference Reference => reference;

        public MqttMessage Message => message;

        public bool IsStored { get; set; }
    }
}
