using System.Text;

namespace OrleansMqtt.Grains;

/// <summary>
/// The offsets that the filters of late queries match, sorted, so that the pages of a subscription need not be found anew. A filter that matches many has no list: its subscription
/// reads the partition from one end to the other.
/// </summary>
internal sealed class RetainedMatches(RetainedIndex index)
{
    /// <summary>The most offsets of a list.</summary>
    public const int MaximumOffsets = 32_768;

    private const int MaximumLists = 32;
    private readonly List<(string Filter, long Before, long[]? Offsets)> _lists = [];

    /// <summary>The offsets that matched when the query was first asked; null when they are too many.</summary>
    public long[]? Get(RetainedQuery query)
    {
        if (!TopicFilter.HasWildcard(query.Filter))
        {
            return Find(query);
        }

        var position = _lists.FindIndex(list => list.Filter == query.Filter && list.Before == query.Before);
        if (position < 0)
        {
            if (_lists.Count == MaximumLists)
            {
                _lists.RemoveAt(0);
            }

            _lists.Add((query.Filter, query.Before, Find(query)));
            position = _lists.Count - 1;
        }

        return _lists[position].Offsets;
    }

    /// <summary>Forgets the list of a query that has come to its end.</summary>
    public void Remove(RetainedQuery query) => _lists.RemoveAll(list => list.Filter == query.Filter && list.Before == query.Before);

    private long[]? Find(RetainedQuery query)
    {
        List<RetainedEntry> entries = [];
        if (!index.TryMatch(Encoding.UTF8.GetBytes(query.Filter), MaximumOffsets, entries))
        {
            return null;
        }

        long[] offsets = [.. entries.Where(entry => entry.Offset < query.Before).Select(entry => entry.Offset)];
        Array.Sort(offsets);
        return offsets;
    }
}
