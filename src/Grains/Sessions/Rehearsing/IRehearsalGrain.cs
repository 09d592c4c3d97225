namespace OrleansMqtt.Grains;

/// <summary>Rehearses a move between two silos, which its key names.</summary>
internal interface IRehearsalGrain : IGrainWithStringKey
{
    /// <summary>Begins on the silo that has partitions, and migrates to another as they will.</summary>
    /// <returns>Whether it is on that silo already.</returns>
    Task<bool> MoveTo(SiloAddress silo);

    /// <summary>Does once, where it is, what a silo does that takes a session partition over, with no partition taken.</summary>
    /// <param name="mustSettle">Whether to wait until the process has settled: partitions that nobody waits for move then, not before.</param>
    Task Rehearse(bool mustSettle);
}
