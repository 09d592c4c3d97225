using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains.Tests;

/// <summary>An embedded log in a directory of its own.</summary>
internal sealed class EmbeddedTestLog : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-grains-").FullName;
    private readonly ServiceProvider _services;

    public EmbeddedTestLog()
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("Embedded:Directory", _directory)]).Build();
        _services = new ServiceCollection().AddLogging().AddMessageLog(settings).BuildServiceProvider();
        Log = _services.GetRequiredService<IMessageLog>();
    }

    public IMessageLog Log { get; }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
