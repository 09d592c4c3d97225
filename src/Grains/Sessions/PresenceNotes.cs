using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Which clients came and went since that was last written: the newest state of each, so that clients which come and go while the log is away take no more than they would once; and
/// of so many clients at most. Beyond that the state of the client that changed least lately is dropped and counted.
/// </summary>
internal sealed class PresenceNotes(string topic, int limit = PresenceNotes.MaximumClients)
{
    /// <summary>Some 300 bytes each.</summary>
    private const int MaximumClients = 50_000;

    private readonly Dictionary<string, LinkedListNode<Note>> _byClient = new(StringComparer.Ordinal);
    private readonly LinkedList<Note> _byAge = [];

    public int Count => _byAge.Count;

    /// <summary>A client has come or gone.</summary>
    public void Set(string clientId, byte[] state) => Put(new(clientId, state, HasEnded: false));

    /// <summary>A client's session has ended: its state is told once more, and then removed.</summary>
    public void End(string clientId) => Put(new(clientId, _byClient.GetValueOrDefault(clientId)?.Value.State, HasEnded: true));

    /// <summary>What is to be written; nothing is noted then.</summary>
    public List<StoreRecord> Take()
    {
        List<StoreRecord> records = [];
        foreach (var (clientId, state, hasEnded) in _byAge)
        {
            var key = SessionKeys.Presence(clientId);
            if (state is not null)
            {
                records.Add(new(topic, new() { Key = key, Value = state }, IsKept: true));
            }

            if (hasEnded)
            {
                records.Add(new(topic, new() { Key = key, Value = null }, IsKept: true));
            }
        }

        _byAge.Clear();
        _byClient.Clear();
        return records;
    }

    private void Put(Note note)
    {
        if (_byClient.Remove(note.ClientId, out var earlier))
        {
            _byAge.Remove(earlier);
        }
        else if (_byAge.Count == limit)
        {
            _byClient.Remove(_byAge.First!.Value.ClientId);
            _byAge.RemoveFirst();
            GrainInstruments.PresenceDropped.Add(1);
        }

        _byClient.Add(note.ClientId, _byAge.AddLast(note));
    }

    private readonly record struct Note(string ClientId, byte[]? State, bool HasEnded);
}
