namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Lets the server crash when all histories of a batch have come to that point, and all go on when it runs again.</summary>
internal sealed class CrashBarrier(int participants, Func<Task> crash)
{
    private readonly Lock _lock = new();
    private int _participants = participants;
    private int _waiting;
    private TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Crashes { get; private set; }

    public Task ArriveAsync()
    {
        lock (_lock)
        {
            _waiting++;
            var over = _over.Task;
            CrashIfAllWait();
            return over;
        }
    }

    /// <summary>A history is at its end and will not arrive any more.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _participants--;
            CrashIfAllWait();
        }
    }

    private void CrashIfAllWait()
    {
        if (_waiting > 0 && _waiting == _participants)
        {
            var over = _over;
            _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting = 0;
            Crashes++;
            _ = CrashAsync(over);
        }
    }

    private async Task CrashAsync(TaskCompletionSource over)
    {
        try
        {
            await crash();
            over.SetResult();
        }
        catch (Exception exception)
        {
            over.SetException(new IOException($"The server did not come back: {exception.Message}", exception));
        }
    }
}
