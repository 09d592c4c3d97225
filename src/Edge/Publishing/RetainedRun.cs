namespace OrleansMqtt.Edge.Publishing;

/// <summary>Consecutive publishes of one connection that are to be retained, on their way to the partition of the retained topic that they belong to.</summary>
internal sealed class RetainedRun(OutstandingPublishes owner, int partition) : MessageRun(owner)
{
    public override RunPaths Path => RunPaths.Retained;

    public int Partition => partition;

    /// <summary>Copies what is to be sent; the run lets go of the messages.</summary>
    public void TakeMessages(Span<MqttMessage> target) => TakeMessages().AsSpan().CopyTo(target);

    public void Settle(ReadOnlySpan<EntryOutcome> outcomes)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            switch (outcomes[i])
            {
                case EntryOutcome.Done:
                    Settle(i, EntryOutcome.Done);
                    break;
                case EntryOutcome.Refused:
                    Refuse(i, "The log does not take it.");
                    break;
                default:
                    Settle(i, EntryOutcome.Failed, "Nobody knows whether it was stored.");
                    break;
            }
        }
    }
}
