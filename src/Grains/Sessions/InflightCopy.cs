using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>A retained message in flight: in memory until it is stored, then where the sessions topic has it.</summary>
internal sealed class InflightCopy(MessageReference reference)
{
    // The commit that it is part of, and where in it its first part is.
    private (List<StoreRecord> Records, int First)? _storing;

    public MessageReference Reference => reference;

    /// <summary>Null when it has to be read from the sessions topic first.</summary>
    public MqttMessage? Message { get; set; }

    /// <summary>Where it is stored; null while it is not.</summary>
    public StoredCopy? Stored { get; set; }

    /// <summary>Whether it is stored, or on its way.</summary>
    public bool IsStored => Stored is not null || _storing is not null;

    /// <summary>Adds its parts to a commit.</summary>
    /// <returns>How many there are.</returns>
    public int Store(string clientId, ushort packetId, string topic, List<StoreRecord> records)
    {
        _storing = (records, records.Count);
        var part = 0;
        foreach (var value in MessageCopyRecord.Encode(Message!))
        {
            records.Add(new(topic, new() { Key = SessionKeys.Copy(clientId, packetId, part++), Value = value }));
        }

        return part;
    }

    /// <summary>A commit is on the log: from now on it is read from there, should it be needed.</summary>
    public void NoteStored(List<StoreRecord> records, ReadOnlySpan<Log.AppendResult> results, int parts)
    {
        if (_storing is { } storing && storing.Records == records)
        {
            Stored = new(results[storing.First].Offset, results[storing.First + parts - 1].Offset + 1, parts);
            (_storing, Message) = (null, null);
        }
    }

    /// <summary>What was on its way was not stored.</summary>
    public void NoteRefused() => _storing = null;

    /// <summary>It is not sent for now: what is stored need not be in memory.</summary>
    public void Release()
    {
        if (Stored is not null)
        {
            Message = null;
        }
    }
}
