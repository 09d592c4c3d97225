namespace OrleansMqtt.Grains;

/// <inheritdoc/>
internal sealed class GrainStatistics : IGrainStatistics
{
    public ServerStatistics AddTo(ServerStatistics statistics) => statistics with
    {
        Sessions = statistics.Sessions + GrainInstruments.Sessions.Value,
        Subscriptions = statistics.Subscriptions + GrainInstruments.Subscriptions.Value,
        SharedSubscriptions = statistics.SharedSubscriptions + GrainInstruments.Groups.Value,
        Retained = statistics.Retained + GrainInstruments.Retained.Value,
        Waiting = statistics.Waiting + GrainInstruments.Waiting.Value,
        Expired = statistics.Expired + GrainInstruments.Expired.Value,
    };
}
