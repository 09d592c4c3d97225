using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Silo;

/// <summary>Tells the failures that the operator can mend by a setting from those that are ours.</summary>
internal static partial class StartupFailure
{
    /// <summary>A line for the operator; null for any other failure.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures),
        LogConfigurationException invalid => invalid.Message,
        InvalidOperationException { InnerException: not null } when Unreadable().Match(exception.Message) is { Success: true } unreadable => DescribeValue(unreadable.Groups),
        IOException { InnerException: AddressInUseException or SocketException } unbound => unbound.Message,
        AggregateException { InnerExceptions.Count: > 0 } several => Describe(several.InnerExceptions[0]),
        { InnerException: { } inner } => Describe(inner),
        _ => null,
    };

    private static string DescribeValue(GroupCollection groups)
    {
        var name = groups["type"].Value;
        var type = AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(name)).FirstOrDefault(found => found is not null);
        var allowed = type switch
        {
            { } known when known == typeof(bool) => "true or false",
            { } known when known == typeof(TimeSpan) => "a time, such as 00:00:10",
            { IsPrimitive: true } => "a whole number",
            { IsEnum: true } => string.Join(" or ", Enum.GetNames(type)),
            _ => $"a {name}",
        };
        return $"{groups["setting"].Value} is '{groups["value"].Value}': it must be {allowed}.";
    }

    // What the configuration binder says of a text that is no value of the setting's type.
    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<setting>.*)' to type '(?<type>.*)'")]
    private static partial Regex Unreadable();
}
