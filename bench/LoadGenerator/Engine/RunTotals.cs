namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>The counters of all workers at one moment. Two are equal when nothing has happened between them; the moment itself does not count.</summary>
internal record struct RunTotals
{
    public long At;
    public long Published;
    public long Acknowledged;
    public long Refused;
    public long Delivered;
    public long ConnectionsLost;
    public long ConnectionsBack;

    public readonly bool Equals(RunTotals other) => Published == other.Published && Acknowledged == other.Acknowledged
        && Refused == other.Refused && Delivered == other.Delivered && ConnectionsLost == other.ConnectionsLost && ConnectionsBack == other.ConnectionsBack;

    public override readonly int GetHashCode() => HashCode.Combine(Published, Acknowledged, Refused, Delivered, ConnectionsLost, ConnectionsBack);
}
