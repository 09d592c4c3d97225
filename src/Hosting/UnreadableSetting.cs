using System.Text.RegularExpressions;

namespace OrleansMqtt.Hosting;

/// <summary>What the binder of settings says of a value that it cannot read, in the words of all other wrong settings: the setting, the value, and what is allowed.</summary>
internal static partial class UnreadableSetting
{
    /// <summary>A line for the operator; the binder's own where it says something else.</summary>
    public static string Describe(string message)
    {
        if (Value().Match(message) is { Success: true } value)
        {
            return $"{value.Groups["setting"].Value} is '{value.Groups["value"].Value}': it must be {AllowedBy(value.Groups["type"].Value)}.";
        }

        return Name().Match(message) is { Success: true } name
            ? $"There is no setting {name.Groups["names"].Value} beside those of {SectionOf(name.Groups["type"].Value)}: docs/configuration.md lists all."
            : message;
    }

    private static string AllowedBy(string type) => Find(type) is { } found ? found.IsEnum ? OneOf(Enum.GetNames(found)) : AllowedBy(found) : type;

    /// <summary>What a class of options is called in the settings.</summary>
    private static string SectionOf(string type) =>
        Find(type)?.GetField("SectionName")?.GetRawConstantValue() as string ?? type[(type.LastIndexOf('.') + 1)..].Replace("Options", "", StringComparison.Ordinal);

    private static Type? Find(string type) => AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(type)).FirstOrDefault(static found => found is not null);

    private static string OneOf(string[] names) => names is [.. var first, var last] && first.Length > 0 ? $"{string.Join(", ", first)} or {last}" : string.Concat(names);

    private static string AllowedBy(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "true or false",
        TypeCode.Double or TypeCode.Single or TypeCode.Decimal => "a number",
        TypeCode.Byte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Int32 or TypeCode.UInt32 or TypeCode.Int64 or TypeCode.UInt64 => "a whole number",
        _ when type == typeof(TimeSpan) => "a time such as 00:00:10",
        _ => type.Name,
    };

    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<setting>[^']+)' to type '(?<type>[^']+)'", RegexOptions.Singleline)]
    private static partial Regex Value();

    [GeneratedRegex(@"^'ErrorOnUnknownConfiguration' was set .* on the instance of (?<type>[\w.]+): (?<names>'.+')", RegexOptions.Singleline)]
    private static partial Regex Name();
}
