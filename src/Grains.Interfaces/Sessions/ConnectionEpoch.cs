namespace OrleansMqtt;

/// <summary>
/// Orders the connections of a client identifier: the greater one is the living one. The generation grows whenever the session partition gets a new owner, the counter
/// with each connection under that owner.
/// </summary>
[GenerateSerializer, Immutable, Alias("connection-epoch")]
public readonly record struct ConnectionEpoch([property: Id(0)] long Generation, [property: Id(1)] long Counter) : IComparable<ConnectionEpoch>
{
    /// <inheritdoc/>
    public int CompareTo(ConnectionEpoch other) => Generation != other.Generation ? Generation.CompareTo(other.Generation) : Counter.CompareTo(other.Counter);

    public static bool operator <(ConnectionEpoch left, ConnectionEpoch right) => left.CompareTo(right) < 0;

    public static bool operator >(ConnectionEpoch left, ConnectionEpoch right) => left.CompareTo(right) > 0;

    public static bool operator <=(ConnectionEpoch left, ConnectionEpoch right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ConnectionEpoch left, ConnectionEpoch right) => left.CompareTo(right) >= 0;
}
