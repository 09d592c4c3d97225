using Xunit;

namespace OrleansMqtt.Log.Tests;

public sealed class KafkaPartitionerTests
{
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_has_the_values_of_the_Java_client(string key, int hash) =>
        Assert.Equal(hash, OrleansMqtt.Log.Kafka.KafkaPartitioner.Murmur2(System.Text.Encoding.UTF8.GetBytes(key)));
}
