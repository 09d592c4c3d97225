using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

public sealed class KafkaLogTests : MessageLogContract
{
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_has_the_values_of_the_Java_client(string key, int hash) =>
        Assert.Equal(hash, Kafka.KafkaPartitioner.Murmur2(System.Text.Encoding.UTF8.GetBytes(key)));

    [Fact]
    public async Task A_setting_that_guarantees_rest_on_is_refused()
    {
        await using var services = Open(new() { ["Kafka:BootstrapServers"] = "127.0.0.1:1", ["Kafka:Producer:acks"] = "1" });
        var exception = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(
            () => Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<IMessageLog>(services));
        Assert.Contains("Log:Kafka:Producer:acks is '1'", exception.Message, StringComparison.Ordinal);
    }

    protected override async Task<Dictionary<string, string?>> SettingsAsync() =>
        new() { ["Kafka:BootstrapServers"] = (await KafkaBroker.SharedAsync()).BootstrapServers };
}
