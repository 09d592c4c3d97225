namespace OrleansMqtt.Log;

/// <summary>Receives the outcome of <see cref="IMessageLog.Append"/>, on a thread of the log. Implementations return at once and never throw.</summary>
public interface IAppendCompletion
{
    /// <param name="state">The value given to <see cref="IMessageLog.Append"/>.</param>
    /// <param name="result">Where the record is stored, or why it is not.</param>
    void OnAppended(long state, in AppendResult result);
}
