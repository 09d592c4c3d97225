using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// The topic aliases of messages to one client. A topic may have one of two neighbouring numbers, which its hash tells: it gets a free one at once, and another topic's when it comes
/// twice while that does not come. Used by the writing thread only.
/// </summary>
/// <param name="maximum">The greatest alias, at least 1.</param>
internal sealed class OutgoingTopicAliases(int maximum)
{
    /// <summary>An alias takes three bytes, so shorter topics are sent as they are.</summary>
    private const int ShortestTopic = 4;

    private readonly string?[] _topics = new string?[maximum];

    /// <summary>For each pair of numbers, the hash of the topic that found no place last; 0 when there is none.</summary>
    private readonly int[] _missed = new int[(maximum + 1) / 2];

    /// <summary>The alias to send a topic with; <see cref="Assign"/> follows when the packet was written and the client did not know it.</summary>
    public TopicAlias Choose(string topic)
    {
        if (topic.Length < ShortestTopic)
        {
            return default;
        }

        var hash = topic.GetHashCode() | 1;
        var first = (int)(((uint)hash >> 1) % (uint)_topics.Length);
        var second = (first ^ 1) < _topics.Length ? first ^ 1 : first;
        if (IsAt(first, topic))
        {
            return Known(first);
        }

        if (IsAt(second, topic))
        {
            return Known(second);
        }

        if (_topics[first] is null || _topics[second] is null)
        {
            return new(NumberOf(_topics[first] is null ? first : second), IsKnown: false);
        }

        ref var missed = ref _missed[first / 2];
        if (missed == hash)
        {
            return new(NumberOf(first), IsKnown: false);
        }

        missed = hash;
        return default;
    }

    /// <summary>The client has got the topic with the alias.</summary>
    public void Assign(TopicAlias alias, string topic)
    {
        var index = alias.Number - 1;
        _topics[index] = topic;
        _missed[index / 2] = 0;
    }

    private TopicAlias Known(int index)
    {
        _missed[index / 2] = 0;
        return new(NumberOf(index), IsKnown: true);
    }

    private bool IsAt(int index, string topic) => _topics[index] is { } known && (ReferenceEquals(known, topic) || known == topic);

    private static ushort NumberOf(int index) => (ushort)(index + 1);
}
