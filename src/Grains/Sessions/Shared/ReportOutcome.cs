namespace OrleansMqtt.Grains;

/// <summary>What became of a <see cref="GroupReport"/>.</summary>
internal enum ReportOutcome : byte
{
    Accepted,

    /// <summary>The owner wants to hear of all members first.</summary>
    Incomplete,

    /// <summary>A later owner of the members' partition has reported.</summary>
    Superseded,
}
