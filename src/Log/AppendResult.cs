namespace OrleansMqtt.Log;

/// <summary>The outcome of an append: a position, or an error (then the record is not stored, and never will be).</summary>
public readonly record struct AppendResult(int Partition, long Offset, string? Error)
{
    /// <summary>Whether the record is stored on all in-sync replicas.</summary>
    public bool IsStored => Error is null;

    /// <summary>A record stored at <paramref name="offset"/>.</summary>
    public static AppendResult Stored(int partition, long offset) => new(partition, offset, null);

    /// <summary>A record that is not stored.</summary>
    public static AppendResult Failed(string error) => new(-1, -1, error);
}
