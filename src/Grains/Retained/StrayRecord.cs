namespace OrleansMqtt.Grains;

/// <summary>A retained message, or its deletion, on another partition than its topic belongs to: other producers have partitioners of their own.</summary>
[GenerateSerializer, Immutable, Alias("stray-record")]
internal readonly record struct StrayRecord(
    [property: Id(0)] string Topic, [property: Id(1)] long TimestampMilliseconds, [property: Id(2)] bool IsDeleted);
