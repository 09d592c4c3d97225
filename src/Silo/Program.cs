using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Dashboard;
using OrleansMqtt.Edge;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Hosting;
using OrleansMqtt.Silo;
using OrleansMqtt.Silo.Zilla;

return args switch
{
    [ConvertZillaCommand.Name, ..] => await ConvertZillaCommand.RunAsync(args),
    [HashPasswordCommand.Name, ..] => await HashPasswordCommand.RunAsync(args),
    _ => await ServerHost.RunAsync(args, new(ClusterRoles.Silo | ClusterRoles.Edge, Configure, Map, ConvertZillaCommand.Name, HashPasswordCommand.Name)),
};

static void Configure(ISiloBuilder silo, ClusterRoles roles)
{
    if (roles.HasFlag(ClusterRoles.Edge))
    {
        silo.AddMqttEdge(silo.Configuration.GetSection(EdgeOptions.SectionName));
    }

    if (silo.Configuration.GetSection("Http").Get<HttpOptions>() is not { Dashboard: false })
    {
        // Its samples go through all grains that there are, and its profiler times every call for as long after somebody looked.
        silo.AddDashboard(dashboard => dashboard.CounterUpdateIntervalMs = 5000);
        silo.Configure<GrainProfilerOptions>(profiler => profiler.DeactivationTime = TimeSpan.FromSeconds(15));
    }
}

static string Map(WebApplication app)
{
    if (!app.Services.GetRequiredService<IOptions<HttpOptions>>().Value.Dashboard)
    {
        return "";
    }

    app.MapDashboard();
    return ", /dashboard";
}
