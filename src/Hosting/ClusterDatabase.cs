using System.ComponentModel;
using System.Data.Common;
using Microsoft.Data.SqlClient;
using MySqlConnector;
using Npgsql;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>The database with the list of the cluster's members, which Orleans reads and writes by the queries that the schema holds.</summary>
internal sealed class ClusterDatabase
{
    private const string CountQueries = "SELECT COUNT(*) FROM OrleansQuery WHERE QueryKey IN ('InsertMembershipKey', 'CleanupDefunctSiloEntryKey')";
    private readonly DbProviderFactory _factory;

    private ClusterDatabase(DatabaseKind kind, string connectionString)
    {
        (Kind, ConnectionString) = (kind, connectionString);
        (_factory, Invariant, Script) = kind switch
        {
            DatabaseKind.SqlServer => ((DbProviderFactory)SqlClientFactory.Instance, "Microsoft.Data.SqlClient", "sqlserver.sql"),
            DatabaseKind.MySql => (MySqlConnectorFactory.Instance, "MySql.Data.MySqlConnector", "mysql.sql"),
            _ => (NpgsqlFactory.Instance, "Npgsql", "postgresql.sql"),
        };
    }

    public DatabaseKind Kind { get; }

    public string ConnectionString { get; }

    /// <summary>What Orleans calls the provider.</summary>
    public string Invariant { get; }

    /// <summary>The file in <c>deploy/sql</c>, which is a resource of this assembly too.</summary>
    public string Script { get; }

    /// <summary>Reads the section <c>Cluster</c>; null when it names no database.</summary>
    public static ClusterDatabase? From(IConfigurationSection section)
    {
        var (kind, connectionString) = (section["Database"], section["ConnectionString"]);
        if (string.IsNullOrEmpty(kind))
        {
            return string.IsNullOrEmpty(connectionString)
                ? null
                : throw new LogConfigurationException("Cluster:Database is empty: with Cluster:ConnectionString it must be PostgreSql, SqlServer or MySql.");
        }

        if (!Enum.TryParse(kind, ignoreCase: true, out DatabaseKind parsed) || !Enum.IsDefined(parsed) || char.IsAsciiDigit(kind[0]))
        {
            throw new LogConfigurationException($"Cluster:Database is '{kind}': it must be PostgreSql, SqlServer or MySql.");
        }

        ClusterDatabase database = new(parsed, connectionString ?? "");
        try
        {
            // Some connections read it only when they open.
            database._factory.CreateConnectionStringBuilder()!.ConnectionString = database.ConnectionString;
            return string.IsNullOrWhiteSpace(connectionString)
                ? throw new LogConfigurationException($"Cluster:ConnectionString is empty: with Cluster:Database it must be a connection string of {parsed}.")
                : database;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            // Not the value: it holds a password.
            throw new LogConfigurationException($"Cluster:ConnectionString is not a connection string of {parsed}: {exception.Message}");
        }
    }

    /// <summary>Whether the database could not be reached, or does not serve yet; it may later.</summary>
    public static bool IsAway(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            // A SocketException is a Win32Exception too.
            if (inner is Win32Exception or TimeoutException or IOException or DbException { IsTransient: true })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fails with a <see cref="DbException"/> when there is no connection, with a line for the operator when there is no schema.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var connection = CreateConnection();
        await connection.OpenAsync(cancellationToken);
        try
        {
            await using var command = CreateCommand(connection, CountQueries);
            if (Convert.ToInt32(await command.ExecuteScalarAsync(cancellationToken), System.Globalization.CultureInfo.InvariantCulture) == 2)
            {
                return;
            }
        }
        catch (DbException exception) when (!IsAway(exception))
        {
            // No such table.
        }

        throw new LogConfigurationException(
            $"Cluster:ConnectionString leads to a database without the tables of the cluster: run the program once with '{CreateSchemaCommand.Name}', or deploy/sql/{Script} by hand.");
    }

    public async Task CreateSchemaAsync(CancellationToken cancellationToken)
    {
        using StreamReader reader = new(typeof(ClusterDatabase).Assembly.GetManifestResourceStream(Script)!);
        await using var connection = CreateConnection();
        await connection.OpenAsync(cancellationToken);
        await using var command = CreateCommand(connection, await reader.ReadToEndAsync(cancellationToken));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static DbCommand CreateCommand(DbConnection connection, string text)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // No text of a user: ours, or a resource of this assembly.
        command.CommandText = text;
#pragma warning restore CA2100
        return command;
    }

    private DbConnection CreateConnection()
    {
        var connection = _factory.CreateConnection()!;
        connection.ConnectionString = ConnectionString;
        return connection;
    }
}
