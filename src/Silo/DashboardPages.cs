using Orleans.Dashboard;

namespace OrleansMqtt.Silo;

/// <summary>The pages of the Orleans Dashboard. They are made when somebody looks first: that compresses all of them, which would take a tenth of the CPU of a start.</summary>
internal static class DashboardPages
{
    private const string Path = "/dashboard";

    public static void MapDashboard(this WebApplication app)
    {
        Lazy<RequestDelegate> pages = new(() => BuildPages(app.Services), LazyThreadSafetyMode.PublicationOnly);
        app.Map(Path + "/{**page}", context =>
        {
            // Of this way here; the pages have ways of their own.
            context.SetEndpoint(null);
            context.Request.RouteValues.Clear();
            return pages.Value(context);
        });
    }

    private static RequestDelegate BuildPages(IServiceProvider services)
    {
        ApplicationBuilder pages = new(services);
        pages.UseRouting();
        pages.UseEndpoints(static endpoints => endpoints.MapOrleansDashboard(Path));
        return pages.Build();
    }
}
