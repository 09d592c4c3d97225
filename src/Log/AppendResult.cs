namespace OrleansMqtt.Log;

/// <summary>The outcome of an append: a position, or an error (then the record is not stored, and never will be).</summary>
/// <param name="Partition">Where it is stored.</param>
/// <param name="Offset">Its position there; -1 when it is not known.</param>
/// <param name="Error">Why it is not stored; null when it is.</param>
/// <param name="IsRefused">Whether the log never takes this record, while it takes others: it is too large, or not what the topic allows.</param>
public readonly record struct AppendResult(int Partition, long Offset, string? Error, bool IsRefused = false)
{
    /// <summary>Whether the record is stored on all in-sync replicas.</summary>
    public bool IsStored => Error is null;

    /// <summary>A record stored at <paramref name="offset"/>.</summary>
    public static AppendResult Stored(int partition, long offset) => new(partition, offset, null);

    /// <summary>A record that the log never takes.</summary>
    public static AppendResult Refused(string error) => new(-1, -1, error, IsRefused: true);

    /// <summary>A record that is not stored.</summary>
    public static AppendResult Failed(string error) => new(-1, -1, error);
}
