namespace OrleansMqtt.Grains;

/// <summary>
/// The subscription identifiers that messages are sent with, as arrays that are never changed and are made once for as long as they come again: one is kept in each hash slot. One
/// user at a time.
/// </summary>
internal sealed class IdentifierSets
{
    private const int Slots = 256;
    private readonly int[]?[] _sets = new int[]?[Slots];

    /// <summary>A set with one identifier more, behind the others; a client that used one for several subscriptions gets it as often. 0 adds nothing.</summary>
    public int[]? Add(int[]? set, int identifier)
    {
        if (identifier == 0)
        {
            return set;
        }

        ReadOnlySpan<int> others = set;
        var hash = (uint)identifier;
        foreach (var other in others)
        {
            hash = (hash * 31) + (uint)other;
        }

        ref var slot = ref _sets[hash % Slots];
        if (slot is null || slot.Length != others.Length + 1 || slot[^1] != identifier || !others.SequenceEqual(slot.AsSpan(0, others.Length)))
        {
            slot = [.. others, identifier];
        }

        return slot;
    }
}
