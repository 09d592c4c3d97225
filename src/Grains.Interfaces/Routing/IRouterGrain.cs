namespace OrleansMqtt;

/// <summary>
/// Matches the records of one messages partition (key: <c>topic/partition</c>) against the subscription index and hands them to the session partitions. Lives where the
/// partition's stream is pulled.
/// </summary>
public interface IRouterGrain : IGrainWithStringKey
{
    /// <summary>
    /// Changes what a session partition is to get. Matching uses the change from <see cref="UpdateIndexResult.Position"/> on.
    /// </summary>
    ValueTask<UpdateIndexResult> UpdateIndex([Immutable] IndexUpdate update);
}
