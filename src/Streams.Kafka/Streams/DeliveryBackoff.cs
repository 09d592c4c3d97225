using Orleans.Runtime.Providers;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>The pause before a batch is delivered again: 50 ms, doubled up to 3.2 s.</summary>
internal sealed class DeliveryBackoff : IMessageDeliveryBackoffProvider
{
    public TimeSpan Next(int attempt) => TimeSpan.FromMilliseconds(50 << Math.Min(attempt, 6));
}
