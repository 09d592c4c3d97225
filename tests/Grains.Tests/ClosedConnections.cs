using System.Collections.Concurrent;

namespace OrleansMqtt.Grains.Tests;

/// <summary>The numbers of connections that were closed because of later ones.</summary>
internal sealed class ClosedConnections
{
    private readonly ConcurrentQueue<long> _numbers = new();

    public IEnumerable<long> Numbers => _numbers;

    public void Add(long number) => _numbers.Enqueue(number);
}
