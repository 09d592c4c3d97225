namespace OrleansMqtt.Grains;

/// <summary>
/// From which offset of each messages partition on the subscriptions of one SUBSCRIBE count: the end of the log when it was made, so that nothing published before it is
/// delivered, and everything after its SUBACK is. Until the routers have answered, what matches is held.
/// </summary>
internal sealed class SubscriptionStart
{
    private List<HeldMessage>? _held;
    private long[]? _offsets;

    public SubscriptionStart()
    {
    }

    /// <param name="offsets">The offset of each link.</param>
    public SubscriptionStart(long[] offsets) => _offsets = offsets;

    public bool IsKnown => _offsets is not null;

    /// <summary>Whether a message counts; only when <see cref="IsKnown"/>. Retained ones, whose links are behind the others, do.</summary>
    public bool Includes(int link, long offset) => link >= _offsets!.Length || offset >= _offsets[link];

    /// <summary>The offset of a link; only when <see cref="IsKnown"/>.</summary>
    public long From(int link) => link < _offsets!.Length ? _offsets[link] : 0;

    public void Hold(HeldMessage message) => (_held ??= []).Add(message);

    /// <summary>Sets the offsets, and returns what was held, in order.</summary>
    public IReadOnlyList<HeldMessage> Resolve(long[] offsets)
    {
        _offsets = offsets;
        var held = _held;
        _held = null;
        return held ?? [];
    }
}
