namespace OrleansMqtt.Cluster.Tests;

/// <summary>What is wrong with the settings of the cluster is told in one line.</summary>
public sealed class SettingsTests
{
    private const string Kafka = "Log:Kafka:BootstrapServers=127.0.0.1:1";
    private const string Database = "Cluster:Database=PostgreSql";
    private const string ConnectionString = "Cluster:ConnectionString=Host=127.0.0.1;Port=1";

    [Theory]
    [InlineData("Silo", "Cluster:Roles is 'router': it must be silo, edge or silo,edge.", "Cluster:Roles=router")]
    [InlineData("Silo", "Cluster:Roles is '': it must be silo, edge or silo,edge.", "Cluster:Roles=")]
    [InlineData("Silo", "Cluster:Roles is 'edge', alone: set Cluster:Database or Cluster:PrimarySilo, where it finds the silos.", "Cluster:Roles=edge")]
    [InlineData("Edge", "Cluster:Roles is 'silo': it must be edge in this program.", "Cluster:Roles=silo")]
    [InlineData("Edge", "Cluster:Roles is 'edge', alone: set Cluster:Database or Cluster:PrimarySilo, where it finds the silos.")]
    [InlineData("Silo", "Cluster:Database is 'Oracle': it must be PostgreSql, SqlServer or MySql.", "Cluster:Database=Oracle")]
    [InlineData("Silo", "Cluster:Database is empty: with Cluster:ConnectionString it must be PostgreSql, SqlServer or MySql.", ConnectionString)]
    [InlineData("Silo", "Cluster:ConnectionString is empty: with Cluster:Database it must be a connection string of PostgreSql.", Database, Kafka)]
    [InlineData("Silo", "Cluster:ConnectionString is not a connection string of PostgreSql: ", Database, Kafka, "Cluster:ConnectionString=nonsense")]
    [InlineData("Silo", "Cluster:ConnectionString is not a connection string of SqlServer: ", "Cluster:Database=SqlServer", Kafka, "Cluster:ConnectionString=nonsense")]
    [InlineData("Silo", "Cluster:ConnectionString is not a connection string of MySql: ", "Cluster:Database=MySql", Kafka, "Cluster:ConnectionString=nonsense")]
    [InlineData("Silo", "Log:Kind is Embedded: with Cluster:Database it must be Kafka (Log:Kafka:BootstrapServers), because the embedded log is for one process.", Database, ConnectionString)]
    [InlineData("Silo", "Log:Kind is Embedded: with Cluster:PrimarySilo it must be Kafka (Log:Kafka:BootstrapServers), because the embedded log is for one process.", "Cluster:PrimarySilo=127.0.0.1:11111")]
    [InlineData("Silo", "Cluster:PrimarySilo is '127.0.0.1': it must be address:port of one of the silos, with its Cluster:SiloPort.", "Cluster:PrimarySilo=127.0.0.1")]
    [InlineData("Silo", "Cluster:PrimarySilo is '127.0.0.1:11111': it must be without Cluster:Database only: the database tells who is in the cluster.", Database, ConnectionString, "Cluster:PrimarySilo=127.0.0.1:11111")]
    [InlineData("Silo", "Cluster:SiloPort is 70000: it must be 0 (a free port) to 65535.", "Cluster:SiloPort=70000")]
    [InlineData("Silo", "Cluster:AdvertisedAddress is '0.0.0.0': it must be an IP address of this machine, or a host name that resolves to one.", "Cluster:AdvertisedAddress=0.0.0.0")]
    [InlineData("Silo", "Cluster:HandOverTimeout is 'soon': it must be 00:00:00 to 01:00:00.", "Cluster:HandOverTimeout=soon")]
    [InlineData("Silo", "There is no setting 'Databse' beside those of Cluster: docs/configuration.md lists all.", "Cluster:Databse=PostgreSql")]
    [InlineData("Edge", "There is no setting 'Mqt:Redirect': the sections are Cluster, Http, Log, Logging, Mqtt, Sessions, Topics, and docs/configuration.md lists all.", "Mqt:Redirect=true", "Cluster:PrimarySilo=127.0.0.1:11111", Kafka)]
    [InlineData("Edge", "There is no setting 'Mqt:Redirect': the sections are Cluster, Http, Log, Logging, Mqtt, Sessions, Topics, and docs/configuration.md lists all.", "Cluster:PrimarySilo", "127.0.0.1:11111", Kafka, "Mqt:Redirect=true")]
    [InlineData("Silo", "Cluster:ClusterId is '': it must be 1 to 150 characters.", "Cluster:ClusterId=")]
    public async Task A_wrong_setting_stops_the_start_with_one_line(string program, string line, params string[] settings)
    {
        await using var server = ChildProcess.Start(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, $"OrleansMqtt.{program}.dll"), "--Http:Port=0", "--Mqtt:Listeners:0:Port=0", .. settings.Select(static setting => setting.StartsWith("127.", StringComparison.Ordinal) ? setting : $"--{setting}")]);
        await server.WaitForExitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(1, server.ExitCode);
        Assert.StartsWith(line, Assert.Single(server.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_environment_variable_that_looks_like_a_slip_is_told()
    {
        await using var server = ChildProcess.Start(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), "--Http:Port=0", $"--{Kafka}"], new Dictionary<string, string> { ["Mqqt__Redirect"] = "true", ["Other__Redirect"] = "true" });
        await server.WaitForLineAsync("The environment variable Mqqt__Redirect is no setting: is the section Mqtt meant?", TimeSpan.FromSeconds(60));
        await server.WaitForLineAsync("Waiting for Kafka", TimeSpan.FromSeconds(60));
        Assert.DoesNotContain(server.Lines, static line => line.Contains("Other__Redirect", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_database_without_the_schema_stops_the_start_with_one_line_and_create_schema_can_run_twice()
    {
        await using var postgres = await PostgreSqlServer.StartAsync();
        string[] cluster = [$"--{Database}", $"--Cluster:ConnectionString={postgres.ConnectionString}"];
        var (exitCode, lines) = await RunAsync([$"--{Kafka}", "--Http:Port=0", .. cluster]);
        Assert.Equal(1, exitCode);
        Assert.Equal("Cluster:ConnectionString leads to a database without the tables of the cluster: run the program once with 'create-schema', or deploy/sql/postgresql.sql by hand.", lines[^1]);

        for (var i = 0; i < 2; i++)
        {
            (exitCode, lines) = await RunAsync(["create-schema", .. cluster]);
            Assert.Equal((0, "The PostgreSql database has the tables and queries of the cluster."), (exitCode, Assert.Single(lines)));
        }

        (exitCode, lines) = await RunAsync(["create-schema"]);
        Assert.Equal((1, "Cluster:Database is empty: for create-schema it must be PostgreSql, SqlServer or MySql."), (exitCode, Assert.Single(lines)));
    }

    private static async Task<(int ExitCode, IReadOnlyList<string> Lines)> RunAsync(string[] arguments)
    {
        await using var program = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), .. arguments]);
        await program.WaitForExitAsync(TimeSpan.FromSeconds(60));
        return (program.ExitCode, program.Lines);
    }
}
