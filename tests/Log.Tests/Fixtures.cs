using OrleansMqtt.TestKit;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedKafka))]

// Most of the time they wait for a Kafka that is away, or starts.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]
