using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Tests that measure memory, or time, run while nothing else does.</summary>
[CollectionDefinition(nameof(MemoryCollection), DisableParallelization = true)]
#pragma warning disable CA1711 // It names a collection of tests.
public static class MemoryCollection
{
    /// <summary>What is alive, exactly: <see cref="GC.GetTotalMemory"/> by itself stops when two collections differ by less than a twentieth of the whole heap.</summary>
    internal static long UsedBytes()
    {
        // What other tests have left goes step by step, as pools do, which let go of a part in each collection.
        const int MostCollections = 20;
        const long Settled = 64 * 1024;
        var used = long.MaxValue;
        for (var i = 0; i < MostCollections; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var before = used;
            used = GC.GetTotalMemory(forceFullCollection: false);
            if (before - used < Settled && i > 1)
            {
                break;
            }
        }

        return used;
    }
}
#pragma warning restore CA1711
