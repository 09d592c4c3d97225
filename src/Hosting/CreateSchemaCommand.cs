using System.Data.Common;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>Creates the tables and queries of the cluster in the database of the settings; again is no harm.</summary>
internal static class CreateSchemaCommand
{
    public const string Name = "create-schema";

    public static async Task<int> RunAsync(IConfiguration configuration)
    {
        try
        {
            if (ClusterDatabase.From(configuration.GetSection("Cluster")) is not { } database)
            {
                throw new LogConfigurationException($"Cluster:Database is empty: for {Name} it must be PostgreSql, SqlServer or MySql.");
            }

            await database.CreateSchemaAsync(CancellationToken.None);
            Console.WriteLine($"The {database.Kind} database has the tables and queries of the cluster.");
            return 0;
        }
        catch (LogConfigurationException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
        }
        catch (DbException exception)
        {
            await Console.Error.WriteLineAsync($"The schema was not created: {exception.Message}");
        }

        return 1;
    }
}
