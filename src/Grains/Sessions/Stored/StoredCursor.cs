namespace OrleansMqtt.Grains;

/// <summary>How far the retained messages that a subscription found were sent.</summary>
/// <param name="Filter">The subscription.</param>
/// <param name="Ranges">What is left: for each partition of the retained topic, by number, offsets from the first to before the second.</param>
internal sealed record StoredCursor(string Filter, (int Source, long From, long Before)[] Ranges);
