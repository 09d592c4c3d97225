using Microsoft.Data.Sqlite;

namespace OrleansMqtt.Log.Embedded;

/// <summary>What the writer's thread does between two appends, inside the same group commit.</summary>
internal abstract class WriteRequest
{
    /// <summary>Makes its changes in the open transaction. May run again when the commit failed; what throws anything but a <see cref="SqliteException"/> changes nothing.</summary>
    public abstract void Apply(EmbeddedWriter writer);

    /// <summary>The group is on disk.</summary>
    public abstract void Complete();

    /// <summary>It will never be on disk.</summary>
    public abstract void Fail(Exception exception);
}
