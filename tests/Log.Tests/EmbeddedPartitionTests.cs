using OrleansMqtt.Log.Embedded;
using Xunit;

namespace OrleansMqtt.Log.Tests;

public sealed class EmbeddedPartitionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Readers_that_begin_to_wait_just_when_records_come_do_not_disturb_the_writer_and_are_woken()
    {
        const int Count = 300_000;
        EmbeddedPartition partition = new(id: 1, "t", number: 0, isCompacted: false, recentBytes: 1_000);
        partition.Initialize(0, 0);
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            for (long end; (end = partition.Range.End) < Count;)
            {
                await partition.WaitBeyondAsync(end, CancellationToken.None);
            }
        })).ToArray();
        await Task.Run(() =>
        {
            for (var offset = 0; offset < Count; offset++)
            {
                partition.Publish([new StoredBatch(offset, 1, [])]);
            }
        });
        await Task.WhenAll(readers).WaitAsync(Limit);
    }
}
