namespace OrleansMqtt.Memory.Tests;

/// <summary>What objects take. In a process of their own, with nothing beside: what other tests leave in pools goes when it likes, while these measure.</summary>
internal static class UsedMemory
{
    /// <summary>The bytes that are alive after an action and were not before, exactly: <see cref="GC.GetTotalMemory"/> by itself stops when two collections differ by less than a twentieth of the whole heap.</summary>
    public static long By(Action action)
    {
        var before = Now();
        action();
        return Now() - before;
    }

    private static long Now()
    {
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
