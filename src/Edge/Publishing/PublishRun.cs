using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Consecutive publishes of one connection to one topic, on their way to the log. Holds what the answers need, not the messages: those end with the <see cref="PublishBatch"/>.
/// </summary>
internal sealed class PublishRun(OutstandingPublishes owner, PublishTopic topic) : MessageRun(owner), IAppendCompletion
{
    public override RunPaths Path => RunPaths.Log;

    public PublishTopic Topic => topic;

    /// <summary>Makes the batch for the topic's grain; the run lets go of the messages.</summary>
    public PublishBatch TakeBatch()
    {
        var messages = TakeMessages();
        return new PublishBatch { Messages = messages.Count == messages.Array!.Length ? messages.Array : messages, Completion = this, FirstState = 0 };
    }

    /// <inheritdoc/>
    public void OnAppended(long state, in AppendResult result)
    {
        if (result.IsRefused)
        {
            Refuse((int)state, result.Error!);
        }
        else
        {
            Settle((int)state, result.IsStored ? EntryOutcome.Done : EntryOutcome.Failed, result.Error);
        }
    }
}
