namespace OrleansMqtt.Storage.Kafka.Tests;

[GenerateSerializer]
public sealed class CounterState
{
    [Id(0)] public int Value { get; set; }

    [Id(1)] public string Text { get; set; } = "new";
}
