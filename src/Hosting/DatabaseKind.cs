namespace OrleansMqtt.Hosting;

/// <summary>The databases that can hold the list of the cluster's members.</summary>
internal enum DatabaseKind
{
    PostgreSql,
    SqlServer,
    MySql,
}
