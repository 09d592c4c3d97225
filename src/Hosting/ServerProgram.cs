namespace OrleansMqtt.Hosting;

/// <summary>What a program adds to what all of them have.</summary>
/// <param name="Roles">The roles that it can have, and has unless the configuration names fewer.</param>
/// <param name="Configure">Adds its parts to the silo, for the roles that it is to have.</param>
/// <param name="Map">Adds its pages; returns how the line of the log about the HTTP port goes on with them.</param>
/// <param name="Commands">The names of the commands that it has beside the server.</param>
public sealed record ServerProgram(ClusterRoles Roles, Action<ISiloBuilder, ClusterRoles> Configure, Func<WebApplication, string> Map, params string[] Commands);
