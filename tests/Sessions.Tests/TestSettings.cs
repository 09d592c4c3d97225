using System.Globalization;
using Xunit;

namespace OrleansMqtt.Sessions.Tests;

/// <summary>How long the long tests are, from the environment; and what they have done, on the console.</summary>
internal static class TestSettings
{
    public static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    public static void Print(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        TestContext.Current.SendDiagnosticMessage("{0}", line);
    }
}
