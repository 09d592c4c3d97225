using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// A session partition as a router sees it: the version of its filters, and what is to be sent to it. One batch is on its way at a time, and what comes meanwhile makes the
/// next, so that the order is that of the log and a busy target gets large batches.
/// </summary>
internal sealed class RouterTarget(int sessionPartition, ISessionPartitionGrain grain)
{
    /// <summary>What may wait for a target. Beyond it the router waits a moment, and then leaves a gap that the target reads from the log itself.</summary>
    private const int MaximumPending = 8192;

    /// <summary>The same in bytes of payload.</summary>
    private const long MaximumPendingBytes = 16 << 20;

    private MqttMessage[] _pending = new MqttMessage[64];
    private int _count;
    private long _bytes;
    private bool _leavesGap;
    private TaskCompletionSource? _room;

    /// <summary>Its number, and its bit in a <see cref="TargetSet"/>.</summary>
    public int SessionPartition { get; } = sessionPartition;

    public ISessionPartitionGrain Grain { get; } = grain;

    public long Generation { get; set; }

    public long Version { get; set; }

    /// <summary>Where the next stretch starts.</summary>
    public long From { get; private set; }

    /// <summary>Where the stretch in <see cref="Take"/> ends: what was matched up to now.</summary>
    public long To { get; private set; }

    public bool IsSending { get; set; }

    public bool IsFull => _count >= MaximumPending || _bytes >= MaximumPendingBytes;

    /// <summary>Whether there is something to send: messages, or word of a gap.</summary>
    public bool HasPending => _count > 0 || _leavesGap;

    /// <summary>Whether a stretch without messages has not been told yet.</summary>
    public bool IsBehind => From < To && !IsSending;

    public void Start(long position)
    {
        (From, To, _count, _bytes, _leavesGap) = (position, position, 0, 0, false);
        _room?.TrySetResult();
    }

    public void Add(MqttMessage message)
    {
        if (_count == _pending.Length)
        {
            Array.Resize(ref _pending, _count * 2);
        }

        _pending[_count++] = message;
        _bytes += message.Payload.Length;
    }

    public void Matched(long to) => To = to;

    /// <summary>What waits, as the next batch.</summary>
    public RoutedBatch Take(TopicPartitionId source)
    {
        RoutedBatch batch = new()
        {
            Source = source,
            TargetGeneration = Generation,
            From = From,
            To = To,
            Messages = new(_pending, 0, _count),
        };
        (From, _pending, _count, _bytes, _leavesGap) = (To, new MqttMessage[Math.Clamp(_count, 64, 1024)], 0, 0, false);
        _room?.TrySetResult();
        return batch;
    }

    /// <summary>Forgets what waits; the target sees the gap.</summary>
    public void Skip()
    {
        Array.Clear(_pending, 0, _count);
        (_count, _bytes, _leavesGap) = (0, 0, true);
        From = To;
    }

    /// <summary>Waits until something was taken, or for a time.</summary>
    public async Task WaitForRoomAsync(TimeSpan limit)
    {
        _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.WhenAny(_room.Task, Task.Delay(limit));
        _room = null;
    }
}
