using System.Text;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// The topics published to of late, of all connections: saves checking, decoding and looking up the same name again. Bounded: each topic has two places it may be in, and
/// replaces another. Free of locks: an entry never changes.
/// </summary>
internal sealed class PublishTopics(IEdgeGrains grains)
{
    private const int Slots = 8192;

    /// <summary>Longer names are not kept, so that the cache stays small.</summary>
    private const int MaximumCachedLength = 512;

    private readonly PublishTopic?[] _topics = new PublishTopic?[Slots];

    /// <summary>The topic of a PUBLISH.</summary>
    /// <exception cref="MqttProtocolException">The name is not a valid topic name.</exception>
    public PublishTopic Get(ReadOnlySpan<byte> utf8)
    {
        var hash = new HashCode();
        hash.AddBytes(utf8);
        var first = hash.ToHashCode() & (Slots - 1);
        var second = first ^ 1;
        if (_topics[first] is { } topic && topic.Utf8.SequenceEqual(utf8))
        {
            return topic;
        }

        if (_topics[second] is { } other && other.Utf8.SequenceEqual(utf8))
        {
            return other;
        }

        return Add(utf8, first, second);
    }

    private PublishTopic Add(ReadOnlySpan<byte> utf8, int first, int second)
    {
        if (utf8.IsEmpty)
        {
            MqttProtocolException.ThrowProtocolError("A PUBLISH has no topic.");
        }

        PacketReader.CheckUtf8(utf8);
        PublishPacket.ExpectName(utf8);
        var name = Encoding.UTF8.GetString(utf8);
        var added = new PublishTopic(utf8.ToArray(), name, grains.GetTopic(name), grains.RetainedPartitionOf(utf8));
        if (utf8.Length <= MaximumCachedLength)
        {
            _topics[_topics[first] is null ? first : second] = added;
        }

        return added;
    }
}
