namespace OrleansMqtt.Grains;

/// <summary>Where the sessions topic has a retained message that is in flight: its parts lie in [<paramref name="From"/>, <paramref name="To"/>).</summary>
internal sealed record StoredCopy(long From, long To, int Parts);
