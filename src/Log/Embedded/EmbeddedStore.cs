using Microsoft.Data.Sqlite;

namespace OrleansMqtt.Log.Embedded;

/// <summary>
/// The tables of the embedded log. A row of <c>batches</c> holds consecutive records of one partition; its id is (partition id &lt;&lt; 40 | first offset), so that a
/// partition is one ordered stretch of the table. In compacted topics every row holds one record, and <c>newest</c> names the row of each key.
/// </summary>
internal static class EmbeddedStore
{
    public const int OffsetBits = 40;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL, compacted INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS partitions(id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL, UNIQUE(topic, number));
        CREATE TABLE IF NOT EXISTS batches(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, time INTEGER NOT NULL, tombstone INTEGER NOT NULL, records BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS tombstones ON batches(time) WHERE tombstone = 1;
        CREATE TABLE IF NOT EXISTS newest(partition INTEGER NOT NULL, key BLOB NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(partition, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS owners(name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
        """;

    private const int SchemaVersion = 1;

    /// <summary>Opens the database for the one writer, and creates its tables.</summary>
    /// <exception cref="LogConfigurationException">The file cannot be used.</exception>
    public static SqliteConnection OpenWriter(string directory)
    {
        SqliteConnection? connection = null;
        try
        {
            connection = Open(directory, SqliteOpenMode.ReadWriteCreate);

            // FULL makes every commit wait for the disk: an acknowledged record survives the loss of power.
            Execute(connection, "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-16384;");
            var version = Convert.ToInt32(Scalar(connection, "PRAGMA user_version"), System.Globalization.CultureInfo.InvariantCulture);
            if (version > SchemaVersion)
            {
                throw new LogConfigurationException(
                    $"Log:Embedded:Directory is '{directory}', whose log has version {version}: a newer program wrote it, this one reads up to {SchemaVersion}.");
            }

            Execute(connection, $"BEGIN; {Schema} PRAGMA user_version={SchemaVersion}; COMMIT;");
            return connection;
        }
        catch (SqliteException exception)
        {
            connection?.Dispose();
            throw new LogConfigurationException($"Log:Embedded:Directory is '{directory}', whose log cannot be opened ({exception.Message}): a writable, undamaged log is needed.");
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    public static SqliteConnection OpenReader(string directory)
    {
        var connection = Open(directory, SqliteOpenMode.ReadOnly);
        Execute(connection, "PRAGMA cache_size=-2048;");
        return connection;
    }

    public static long RowId(int partitionId, long offset) => ((long)partitionId << OffsetBits) | offset;

    public static long OffsetOf(long rowId) => rowId & ((1L << OffsetBits) - 1);

    public static SqliteCommand Command(SqliteConnection connection, string text, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        }

        return command;
    }

    public static void Execute(SqliteConnection connection, string text)
    {
        using var command = Command(connection, text);
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string text)
    {
        using var command = Command(connection, text);
        return command.ExecuteScalar();
    }

    private static SqliteConnection Open(string directory, SqliteOpenMode mode)
    {
        var text = new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory, "log.db"), Mode = mode, Pooling = false, DefaultTimeout = 30 }.ToString();
        var connection = new SqliteConnection(text);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
