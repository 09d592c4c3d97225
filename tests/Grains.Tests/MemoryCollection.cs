using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Tests that measure memory run while nothing else does.</summary>
[CollectionDefinition(nameof(MemoryCollection), DisableParallelization = true)]
#pragma warning disable CA1711 // It names a collection of tests.
public sealed class MemoryCollection;
#pragma warning restore CA1711
