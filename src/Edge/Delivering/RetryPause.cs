namespace OrleansMqtt.Edge.Delivering;

/// <summary>The pauses between attempts at a call that must succeed in the end.</summary>
internal static class RetryPause
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    public static TimeSpan Shortest { get; } = TimeSpan.FromMilliseconds(50);

    public static TimeSpan After(TimeSpan pause) => pause * 2 < Longest ? pause * 2 : Longest;
}
