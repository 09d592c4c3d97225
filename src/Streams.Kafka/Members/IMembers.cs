namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// The active silos of the cluster, and what each of them does. Every silo asks each new one, until it answers, and tells all others when it changes itself; so a silo is known some
/// milliseconds after it came, and a change some milliseconds after it was made.
/// </summary>
public interface IMembers
{
    /// <summary>The active silos that have said what they do, this one included.</summary>
    IReadOnlyDictionary<SiloAddress, MemberState> Active { get; }

    /// <summary>What a silo last said; null when it has said nothing yet, or is dead.</summary>
    MemberState? Find(SiloAddress silo);

    /// <summary>Raised after <see cref="Active"/> has changed; handlers return at once.</summary>
    event Action? Changed;

    /// <summary>Changes what this silo does; returns when all others know, or had a second for it. Those that did not answer are told until they do.</summary>
    Task ChangeAsync(Func<MemberState, MemberState> change);

    /// <summary>Says that this silo stops, once.</summary>
    Task LeaveAsync() => ChangeAsync(static state => state with { IsLeaving = true });
}
