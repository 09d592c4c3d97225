using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>Tells the failures that the operator can mend by a setting from those that are ours.</summary>
internal static class StartupFailure
{
    private const string Binder = "Microsoft.Extensions.Configuration.Binder";

    /// <summary>A line for the operator; null for any other failure.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures),
        LogConfigurationException invalid => invalid.Message,

        // A value that is no number, for example: the innermost names the setting and the value.
        InvalidOperationException { Source: Binder } unreadable => unreadable.InnerException is InvalidOperationException { Source: Binder } inner ? Describe(inner) : UnreadableSetting.Describe(unreadable.Message),
        IOException { InnerException: AddressInUseException or SocketException } unbound => unbound.Message,
        AggregateException { InnerExceptions.Count: > 0 } several => Describe(several.InnerExceptions[0]),
        { InnerException: { } inner } => Describe(inner),
        _ => null,
    };
}
