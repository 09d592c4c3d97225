using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace OrleansMqtt.Log.Tests;

public sealed class EmbeddedLogTests : MessageLogContract
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-log-").FullName;

    [Fact]
    public void A_second_log_on_the_same_directory_is_refused()
    {
        using var services = Open(new() { ["Embedded:Directory"] = _directory });
        var exception = Assert.Throws<LogConfigurationException>(services.GetRequiredService<IMessageLog>);
        Assert.Contains(_directory, exception.Message, StringComparison.Ordinal);
    }

    protected override Task<Dictionary<string, string?>> SettingsAsync() => Task.FromResult(new Dictionary<string, string?> { ["Embedded:Directory"] = _directory });

    protected override Task CleanUpAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }
}
