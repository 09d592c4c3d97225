using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>A process that writes to an embedded log is killed again and again: what it acknowledged stays.</summary>
public sealed class EmbeddedCrashTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-crash-").FullName;
    private readonly Dictionary<long, (int Partition, long Offset)> _acknowledged = [];
    private readonly HashSet<long> _transactions = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_acknowledged_survives_every_SIGKILL_once_in_order_and_transactions_whole()
    {
        for (var round = 0; round < 6; round++)
        {
            // Numbers of a round follow those of the one before.
            await using (var child = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Log.Crash.dll"), _directory, $"{round * 1_000_000L}"]))
            {
                await WaitForLinesAsync(child, 50 + (round * 701));
                await child.KillAsync();
                Remember(child.Lines);
            }

            await VerifyAsync();
        }
    }

    private static async Task WaitForLinesAsync(ChildProcess child, int count)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (child.Lines.Count < count)
        {
            Assert.False(child.HasExited, string.Join('\n', child.Lines));
            Assert.True(DateTime.UtcNow < deadline, "The program wrote too little.");
            await Task.Delay(1);
        }
    }

    private void Remember(IEnumerable<string> lines)
    {
        foreach (var words in lines.Where(line => line.EndsWith(';')).Select(line => line.TrimEnd(';').Split(' ')))
        {
            if (words[0] == "record")
            {
                Assert.Equal("", words[4]);
                _acknowledged.Add(long.Parse(words[1]), (int.Parse(words[2]), long.Parse(words[3])));
            }
            else
            {
                Assert.Equal("transaction", words[0]);
                _transactions.Add(long.Parse(words[1]));
            }
        }
    }

    private async Task VerifyAsync()
    {
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection([new("Embedded:Directory", _directory)]).Build())
            .BuildServiceProvider();
        var log = services.GetRequiredService<IMessageLog>();
        Dictionary<long, (int Partition, long Offset)> stored = [];
        for (var partition = 0; partition < 2; partition++)
        {
            var records = await ReadAllAsync(log, "records", partition);
            var numbers = records.Select(NumberOf).ToList();
            Assert.Equal(numbers.Order(), numbers);
            Assert.Equal(Enumerable.Range(0, records.Count).Select(offset => (long)offset), records.Select(record => record.Offset));
            foreach (var record in records)
            {
                stored.Add(NumberOf(record), (partition, record.Offset));
            }
        }

        Assert.All(_acknowledged, acknowledged => Assert.Equal(acknowledged.Value, stored[acknowledged.Key]));
        var pairs = (await ReadAllAsync(log, "pairs", 0)).Select(NumberOf).ToList();
        Assert.Equal(pairs.Distinct().Order(), pairs);
        Assert.Empty(_transactions.Except(pairs));

        // The other half of the newest pair, and of no newer one; the older ones are compacted away.
        Assert.Equal(pairs.TakeLast(1), (await ReadAllAsync(log, "compacted", 0)).Select(NumberOf));
    }

    private static long NumberOf(StoredRecord record) => long.Parse(Encoding.UTF8.GetString(record.Value!.Value.Span));

    private static async Task<List<StoredRecord>> ReadAllAsync(IMessageLog log, string topic, int partition)
    {
        await log.EnsureTopicsAsync([], CancellationToken.None);
        var end = (await log.GetOffsetsAsync([new(topic, partition)], CancellationToken.None))[0].End;
        List<StoredRecord> records = [];
        for (var from = 0L; from < end;)
        {
            var batch = await log.ReadRangeAsync(topic, partition, from, 1_000, CancellationToken.None);
            Assert.True(batch.To > from);
            records.AddRange(batch.Records);
            from = batch.To;
        }

        return records;
    }
}
