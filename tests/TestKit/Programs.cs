using Xunit;

namespace OrleansMqtt.TestKit;

/// <summary>Programs of this machine that tests use.</summary>
public static class Programs
{
    /// <summary>Where a program is; null when it is not installed.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
        .Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    /// <summary>Skips the test when one of the programs is not installed; in CI the test fails.</summary>
    public static void Require(params IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (Find(name) is null)
            {
                Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", $"{name} is not installed.");
                Assert.Fail($"{name} is not installed.");
            }
        }
    }
}
