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
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: false);
    }
}
#pragma warning restore CA1711
