using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A start of the program that ends with exit code 1.</summary>
internal static class RefusedStart
{
    /// <summary>Returns what it says.</summary>
    public static async Task<IReadOnlyList<string>> LinesAsync(TestLog log, params string[] arguments)
    {
        await using var process = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), .. arguments], log.Settings);
        await process.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(1, process.ExitCode);
        return process.Lines;
    }
}
