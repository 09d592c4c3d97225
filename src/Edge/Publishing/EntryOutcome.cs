namespace OrleansMqtt.Edge.Publishing;

/// <summary>What became of a packet.</summary>
internal enum EntryOutcome
{
    Pending,

    /// <summary>Stored, or released.</summary>
    Done,

    /// <summary>A PUBREL whose packet identifier is not known.</summary>
    NotFound,

    /// <summary>A message that is refused, because its payload is not what its Payload Format Indicator says.</summary>
    PayloadFormatInvalid,

    /// <summary>A message that the client may not publish.</summary>
    NotAuthorized,

    /// <summary>A message that the log never takes: it is too large for its topic.</summary>
    Refused,

    /// <summary>The connection is not the living one any more: no answer.</summary>
    Unanswered,

    /// <summary>Not stored, and never will be.</summary>
    Failed,
}
