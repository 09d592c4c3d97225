using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Tests that measure time run while nothing else does; those that measure memory have a process of their own (<c>tests/Memory.Tests</c>).</summary>
[CollectionDefinition(nameof(MeasuringCollection), DisableParallelization = true)]
#pragma warning disable CA1711 // It names a collection of tests.
public static class MeasuringCollection;
#pragma warning restore CA1711
