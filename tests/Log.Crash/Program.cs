using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Crash;

// Writes to an embedded log until it is killed, and prints what the log acknowledged: the test that kills it compares.
// Arguments: the directory, and the first number to write. Each line ends with ';', so that a cut one is told from a whole one.
var first = long.Parse(args[1], CultureInfo.InvariantCulture);
await using var services = new ServiceCollection()
    .AddLogging()
    .AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection([new("Embedded:Directory", args[0])]).Build())
    .BuildServiceProvider();
var log = services.GetRequiredService<IMessageLog>();
await log.EnsureTopicsAsync([new("records", 2, IsCompacted: false), new("pairs", 1, IsCompacted: false), new("compacted", 1, IsCompacted: true)], CancellationToken.None);
await using var output = Console.OpenStandardOutput();
var acknowledgements = new Acknowledgements(output);
var owner = await log.OpenOwnerAsync("owner", CancellationToken.None);
var transactions = Task.Run(async () =>
{
    for (var number = first; ; number++)
    {
        var value = Encoding.UTF8.GetBytes($"{number}");
        await owner.AppendTransactionAsync(
            [new("pairs", new() { Key = "a"u8.ToArray(), Value = value, Headers = [] }), new("compacted", new() { Key = "a"u8.ToArray(), Value = value, Headers = [] })],
            CancellationToken.None);
        acknowledgements.WriteTransaction(number);
    }
});

for (var number = first; !transactions.IsCompleted; number++)
{
    await acknowledgements.Outstanding.WaitAsync();
    log.Append("records", new() { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes($"{number}"), Headers = [], Partition = (int)(number % 2) }, acknowledgements, number);
}

await transactions;
