using System.Globalization;
using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>
/// The states of a partition, in memory and through its <see cref="PartitionStore"/>. A state's ETag is its offset, which survives restarts and compaction, and is never given twice.
/// For one caller at a time, which may be one that interleaves (a reentrant grain): a call that meets a change of the same key waits for it.
/// </summary>
public sealed class StoredStates
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>How many states there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Takes what the store holds; for <see cref="PartitionStore.OpenAsync"/>.</summary>
    public void Load(StoreEntry entry) => _entries[Encoding.UTF8.GetString(entry.Key.Span)] = new() { Value = entry.Value, ETag = ETagOf(entry.Offset) };

    /// <summary>The state of a key.</summary>
    public async ValueTask<StoredState> ReadAsync(string key) => await FindAsync(key) is { } entry ? new(entry.Value, entry.ETag) : default;

    /// <summary>
    /// Replaces the state of a key, in one transaction with the records that <paramref name="together"/> makes at the moment of the commit; <paramref name="stored"/> gets their positions.
    /// </summary>
    public ValueTask<StateChange> WriteAsync(
        PartitionStore store, string key, ReadOnlyMemory<byte> value, string? etag, Func<IEnumerable<StoreRecord>>? together = null, Action<AppendResult[]>? stored = null) =>
        ChangeAsync(store, key, value, etag, together, stored);

    /// <summary>Removes the state of a key, in one transaction with the records that <paramref name="together"/> makes at the moment of the commit.</summary>
    public ValueTask<StateChange> ClearAsync(PartitionStore store, string key, string? etag, Func<IEnumerable<StoreRecord>>? together = null) =>
        ChangeAsync(store, key, null, etag, together, stored: null);

    private static string ETagOf(long offset) => offset.ToString(CultureInfo.InvariantCulture);

    private async ValueTask<StateChange> ChangeAsync(
        PartitionStore store, string key, ReadOnlyMemory<byte>? value, string? etag, Func<IEnumerable<StoreRecord>>? together, Action<AppendResult[]>? stored)
    {
        var entry = await FindAsync(key);
        if (entry?.ETag != etag)
        {
            return new(entry?.ETag, IsConflict: true);
        }

        if (entry is null)
        {
            if (value is null)
            {
                return default;
            }

            _entries.Add(key, entry = new());
        }

        TaskCompletionSource changing = new(TaskCreationOptions.RunContinuationsAsynchronously);
        entry.Changing = changing.Task;
        try
        {
            var results = await store.CommitAsync([new(store.Partition.Topic, new() { Key = Encoding.UTF8.GetBytes(key), Value = value, Headers = [] }), .. together?.Invoke() ?? []]);
            (entry.Value, entry.ETag) = value is { } written ? (written, ETagOf(results[0].Offset)) : default;
            stored?.Invoke(results[1..]);
            return new(entry.ETag, IsConflict: false);
        }
        finally
        {
            entry.Changing = null;
            if (entry.ETag is null)
            {
                _entries.Remove(key);
            }

            changing.SetResult();
        }
    }

    private async ValueTask<Entry?> FindAsync(string key)
    {
        while (true)
        {
            var entry = _entries.GetValueOrDefault(key);
            if (entry?.Changing is not { } changing)
            {
                return entry;
            }

            await changing;
        }
    }

    private sealed class Entry
    {
        public ReadOnlyMemory<byte> Value { get; set; }

        /// <summary>Null until it is stored for the first time.</summary>
        public string? ETag { get; set; }

        public Task? Changing { get; set; }
    }
}
