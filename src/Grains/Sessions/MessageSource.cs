using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>A partition of the log whose messages references stand for, and what of it is in memory. Used inside the turns of a session partition's grain only.</summary>
internal class MessageSource(TopicPartitionId source, int index)
{
    public TopicPartitionId Source { get; } = source;

    /// <summary>Its index in the session partition.</summary>
    public int Index { get; } = index;

    public RecentMessages Recent { get; } = new();

    /// <summary>Messages that were read back from the log for mailboxes; replaced by each read.</summary>
    public LoadedStretch Loaded { get; set; } = LoadedStretch.Empty;

    /// <summary>Sessions whose next message has to be read back from the log.</summary>
    public ReadBackQueue Waiting { get; } = new();

    public bool IsLoading { get; set; }
}
