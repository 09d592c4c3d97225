using System.Globalization;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// A position in a partition: everything before <see cref="Offset"/> is done. An event carries the position after it (<c>LogBatch.To</c>); a consumer that resumes with a token
/// gets the records from that offset on.
/// </summary>
[GenerateSerializer, Immutable, Alias("log-offset-token")]
public sealed class LogOffsetToken : StreamSequenceToken
{
    // Marks the token of a greeting; all tokens of an offset mean the same position.
    private const int GreetingIndex = -1;

    /// <param name="offset">The offset to go on with.</param>
    public LogOffsetToken(long offset) : this(offset, 0)
    {
    }

    private LogOffsetToken(long offset, int eventIndex) => (SequenceNumber, EventIndex) = (offset, eventIndex);

    /// <summary>The offset to go on with.</summary>
    public long Offset => SequenceNumber;

    /// <inheritdoc />
    [Id(0)]
    public override long SequenceNumber { get; protected set; }

    /// <inheritdoc />
    [Id(1)]
    public override int EventIndex { get; protected set; }

    internal bool IsGreeting => EventIndex == GreetingIndex;

    internal static LogOffsetToken CreateGreeting(long offset) => new(offset, GreetingIndex);

    /// <inheritdoc />
    public override bool Equals(StreamSequenceToken? other) => other is LogOffsetToken token && token.Offset == Offset && token.EventIndex == EventIndex;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as StreamSequenceToken);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Offset, EventIndex);

    /// <inheritdoc />
    public override int CompareTo(StreamSequenceToken? other) => other switch
    {
        null => 1,
        LogOffsetToken token when token.Offset != Offset => Offset.CompareTo(token.Offset),
        LogOffsetToken token => EventIndex.CompareTo(token.EventIndex),
        _ => throw new ArgumentOutOfRangeException(nameof(other), $"A {nameof(LogOffsetToken)} cannot be compared with a {other.GetType().Name}."),
    };

    /// <inheritdoc />
    public override string ToString() => Offset.ToString(CultureInfo.InvariantCulture);
}
