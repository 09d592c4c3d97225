using OrleansMqtt.TestKit;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedKafka))]
