using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OrleansMqtt;

/// <summary>
/// The time that clients count in: the ends of sessions, delays of wills, expiry of messages and keep alive. A service by a key of its own, because the one without is also that of
/// Orleans, which ends a silo whose clock is set forward as one that hung.
/// </summary>
public static class ClientTime
{
    /// <summary>The key of the <see cref="TimeProvider"/>.</summary>
    public const string Key = "clients";

    /// <summary>It is that of the process, unless another is registered.</summary>
    public static IServiceCollection AddClientTime(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddKeyedSingleton(Key, static (provider, _) => provider.GetRequiredService<TimeProvider>());
        return services;
    }
}
