using System.Diagnostics;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Consecutive publishes of one connection to one topic, on their way to the log. Holds what the answers need, not the messages: those end with the <see cref="PublishBatch"/>.
/// </summary>
internal sealed class PublishRun(OutstandingPublishes owner, PublishTopic topic) : IAppendCompletion
{
    /// <summary>The most messages of a run.</summary>
    public const int MaximumCount = 256;

    private const int Pending = 0;
    private const int Stored = 1;
    private const int Failed = 2;

    private MqttMessage[] _messages = new MqttMessage[1];
    private Publish[] _publishes = new Publish[1];
    private int _unsettled;
    private int _answered;
    private string? _error;

    public PublishTopic Topic => topic;

    public int Count { get; private set; }

    /// <summary>What the run counts against the credits.</summary>
    public int Bytes { get; private set; }

    /// <summary>When the run began, on the runs whose latency is measured; else 0.</summary>
    public long StartTimestamp { get; init; }

    /// <summary>Why a message was not stored.</summary>
    public string? Error => Volatile.Read(ref _error);

    public void Add(MqttMessage message, ushort packetId, int bytes)
    {
        if (Count == _publishes.Length)
        {
            Array.Resize(ref _publishes, Count * 2);
            Array.Resize(ref _messages, Count * 2);
        }

        _messages[Count] = message;
        _publishes[Count].PacketId = packetId;
        Count++;
        Bytes += bytes;
    }

    /// <summary>Makes the batch for the topic's grain; the run lets go of the messages.</summary>
    public PublishBatch TakeBatch()
    {
        IReadOnlyList<MqttMessage> messages = Count == _messages.Length ? _messages : new ArraySegment<MqttMessage>(_messages, 0, Count);
        _messages = [];
        _unsettled = Count;
        return new PublishBatch { Messages = messages, Completion = this, FirstState = 0 };
    }

    /// <inheritdoc/>
    public void OnAppended(long state, in AppendResult result) => Settle((int)state, result.Error);

    /// <summary>The grain call failed: whatever was not handed to the log never will be.</summary>
    public void Abandon(string error)
    {
        for (var i = 0; i < Count; i++)
        {
            Settle(i, error);
        }
    }

    /// <summary>Takes the next answer in the order of receipt, if it is known.</summary>
    /// <returns>Whether there was one; then <paramref name="packetId"/> is 0 for QoS 0, and <paramref name="isStored"/> tells the outcome.</returns>
    public bool TryTakeAnswer(out ushort packetId, out bool isStored)
    {
        packetId = 0;
        isStored = false;
        if (_answered == Count)
        {
            return false;
        }

        ref var publish = ref _publishes[_answered];
        var outcome = Volatile.Read(ref publish.Outcome);
        if (outcome == Pending)
        {
            return false;
        }

        _answered++;
        packetId = publish.PacketId;
        isStored = outcome == Stored;
        return true;
    }

    /// <summary>Whether all answers were taken.</summary>
    public bool IsAnswered => _answered == Count;

    private void Settle(int index, string? error)
    {
        if (error is not null)
        {
            Volatile.Write(ref _error, error);
        }

        // Only the first outcome counts: the log may still answer for a run that was abandoned.
        if (Interlocked.CompareExchange(ref _publishes[index].Outcome, error is null ? Stored : Failed, Pending) == Pending)
        {
            owner.OnSettled(this, Interlocked.Decrement(ref _unsettled) == 0);
        }
    }

    /// <summary>Since the run began; null when it is not measured.</summary>
    public TimeSpan? GetLatency() => StartTimestamp == 0 ? null : Stopwatch.GetElapsedTime(StartTimestamp);

    private struct Publish
    {
        public int Outcome;
        public ushort PacketId;
    }
}
