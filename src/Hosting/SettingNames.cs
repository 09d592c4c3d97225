namespace OrleansMqtt.Hosting;

/// <summary>Finds settings whose names are wrong, and that would be left out without a word.</summary>
internal static partial class SettingNames
{
    private static readonly string[] Sections = ["Cluster", "Http", "Log", "Logging", "Mqtt", "Sessions", "Topics"];

    /// <summary>Refuses an argument of a section that there is not. Environment variables are many programs', so that one which looks like a slip is only told.</summary>
    /// <exception cref="Log.LogConfigurationException">An argument names no section.</exception>
    public static void Check(string[] args, IEnumerable<string> environment, ILogger logger)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var isName = IsName(args[i]);
            var name = args[i].TrimStart('-', '/').Split('=')[0];
            if (isName && SectionOf(name, ":") is { } section && !IsSection(section))
            {
                throw new Log.LogConfigurationException($"There is no setting '{name}': the sections are {string.Join(", ", Sections)}, and docs/configuration.md lists all.");
            }

            if (isName && !args[i].Contains('=', StringComparison.Ordinal))
            {
                // Its value follows.
                i++;
            }
        }

        foreach (var variable in environment)
        {
            if (SectionOf(variable, "__") is { } section && !IsSection(section) && Array.Find(Sections, known => IsSlip(section, known)) is { } meant)
            {
                LogSlip(logger, variable, meant);
            }
        }
    }

    private static string? SectionOf(string name, string separator) => name.IndexOf(separator, StringComparison.Ordinal) is > 0 and var end ? name[..end] : null;

    private static bool IsName(string argument) => argument.StartsWith('-') || argument.StartsWith('/') || argument.Contains('=', StringComparison.Ordinal);

    private static bool IsSection(string name) => Sections.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether one letter is missing, too many, or another; or two have changed places.</summary>
    private static bool IsSlip(string text, string name)
    {
        var (a, b) = (text.ToUpperInvariant(), name.ToUpperInvariant());
        if (Math.Abs(a.Length - b.Length) > 1)
        {
            return false;
        }

        var same = a.AsSpan().CommonPrefixLength(b);
        var (restA, restB) = (a[same..], b[same..]);
        return restA.Length == restB.Length
            ? restA[1..] == restB[1..] || (restA.Length > 1 && restA[0] == restB[1] && restA[1] == restB[0] && restA[2..] == restB[2..])
            : restA.Length > restB.Length ? restA[1..] == restB : restA == restB[1..];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The environment variable {Variable} is no setting: is the section {Section} meant?")]
    private static partial void LogSlip(ILogger logger, string variable, string section);
}
