namespace OrleansMqtt.Grains;

/// <summary>A connection by its edge and its number there.</summary>
[GenerateSerializer, Immutable, Alias("living-connection")]
internal sealed record LivingConnection([property: Id(0)] SiloAddress Edge, [property: Id(1)] long ConnectionId);
