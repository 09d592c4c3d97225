using System.Diagnostics;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>Consecutive packets of one connection that go the same way, and what their answers need.</summary>
internal abstract class InboundRun(OutstandingPublishes owner)
{
    /// <summary>The most packets of a run.</summary>
    public const int MaximumCount = 256;

    private Entry[] _entries = new Entry[1];
    private int _unsettled;
    private int _answered;
    private string? _error;

    /// <summary>Where the run goes.</summary>
    public abstract RunPaths Path { get; }

    public int Count { get; private set; }

    /// <summary>What the run counts against the credits.</summary>
    public int Bytes { get; private set; }

    /// <summary>When the run began, on the runs whose latency is measured; else 0.</summary>
    public long StartTimestamp { get; init; }

    /// <summary>Why a message was not stored.</summary>
    public string? Error => Volatile.Read(ref _error);

    /// <summary>Whether all answers were taken.</summary>
    public bool IsAnswered => _answered == Count;

    /// <summary>Nothing that is not settled yet will be stored.</summary>
    public void Abandon(string error)
    {
        for (var i = 0; i < Count; i++)
        {
            Settle(i, EntryOutcome.Failed, error);
        }
    }

    /// <summary>Takes the next answer in the order of receipt, if it is known.</summary>
    public bool TryTakeAnswer(out InboundAnswer answer)
    {
        answer = default;
        if (_answered == Count)
        {
            return false;
        }

        ref var entry = ref _entries[_answered];
        var outcome = (EntryOutcome)Volatile.Read(ref entry.Outcome);
        if (outcome == EntryOutcome.Pending)
        {
            return false;
        }

        _answered++;
        var packet = outcome == EntryOutcome.Unanswered ? PacketType.Reserved : entry.Answer;
        var code = outcome switch
        {
            EntryOutcome.NotFound => ReasonCode.PacketIdentifierNotFound,
            EntryOutcome.NotAuthorized => ReasonCode.NotAuthorized,
            EntryOutcome.Refused => ReasonCode.QuotaExceeded,
            EntryOutcome.PayloadFormatInvalid => ReasonCode.PayloadFormatInvalid,
            _ => ReasonCode.Success,
        };
        var freesRoom = entry.FreesRoom || (outcome == EntryOutcome.Refused && packet == PacketType.PubRec);
        answer = new InboundAnswer(packet, entry.PacketId, (byte)code, freesRoom, outcome != EntryOutcome.Failed);
        return true;
    }

    /// <summary>Since the run began; null when it is not measured.</summary>
    public TimeSpan? GetLatency() => StartTimestamp == 0 ? null : Stopwatch.GetElapsedTime(StartTimestamp);

    /// <summary>Called when nothing more is added, before anything settles.</summary>
    public void Seal() => _unsettled = Count;

    protected void AddEntry(PacketType answer, ushort packetId, bool freesRoom, int bytes)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        ref var entry = ref _entries[Count++];
        entry.PacketId = packetId;
        entry.Answer = answer;
        entry.FreesRoom = freesRoom;
        Bytes += bytes;
    }

    /// <summary>The log never takes a message. Only MQTT 5 has an answer for that; for other clients the connection ends ([MQTT-3.3.5-2] of MQTT 3.1.1).</summary>
    protected void Refuse(int index, string error) => Settle(index, owner.CanRefuse ? EntryOutcome.Refused : EntryOutcome.Failed, error);

    protected void Settle(int index, EntryOutcome outcome, string? error = null)
    {
        if (error is not null)
        {
            Volatile.Write(ref _error, error);
        }

        // Only the first outcome counts: the log may still answer for a run that was abandoned.
        if (Interlocked.CompareExchange(ref _entries[index].Outcome, (int)outcome, (int)EntryOutcome.Pending) == (int)EntryOutcome.Pending)
        {
            owner.OnSettled(this, outcome, Interlocked.Decrement(ref _unsettled) == 0);
        }
    }

    private struct Entry
    {
        public int Outcome;
        public ushort PacketId;
        public PacketType Answer;
        public bool FreesRoom;
    }
}
