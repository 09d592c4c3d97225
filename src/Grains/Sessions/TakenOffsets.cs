namespace OrleansMqtt.Grains;

/// <summary>
/// Up to where a living connection has taken messages from an earlier owner, by link: they are not sent again, and what comes after them is. Dropped when all links are past it.
/// </summary>
internal sealed class TakenOffsets(SourceNumbers sources, SourceOffset[] taken, SourceOffset[] takenQoS0)
{
    private readonly long[] _nextByLink = Next(sources, taken);
    private readonly long[] _nextByLinkOfQoS0 = Next(sources, takenQoS0);

    public bool Includes(int link, byte qos, long offset) => offset < (qos > 0 ? _nextByLink : _nextByLinkOfQoS0)[link];

    public bool IsPassed(RouterLink[] links) => Array.TrueForAll(links, link => Math.Max(_nextByLink[link.Index], _nextByLinkOfQoS0[link.Index]) <= link.Position && link.RecoveredTo <= link.Position);

    private static long[] Next(SourceNumbers sources, SourceOffset[] taken) => sources.ByLink(Array.ConvertAll(taken, static each => each with { Offset = each.Offset + 1 }));
}
