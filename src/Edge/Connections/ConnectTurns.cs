namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// One CONNECT of a client identifier at a time asks for the session, and one waits: the newest. Clients that fight for an identifier would else queue takeovers that nobody
/// needs any more.
/// </summary>
internal sealed class ConnectTurns
{
    private readonly Dictionary<string, TaskCompletionSource<bool>?> _turns = new(StringComparer.Ordinal);

    /// <summary>Waits for the turn; false when a newer one waits instead. After true, <see cref="Leave"/> is called once.</summary>
    public ValueTask<bool> EnterAsync(string clientId)
    {
        TaskCompletionSource<bool>? earlier;
        TaskCompletionSource<bool> waiting;
        lock (_turns)
        {
            if (_turns.TryAdd(clientId, null))
            {
                return new(true);
            }

            earlier = _turns[clientId];
            _turns[clientId] = waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        earlier?.SetResult(false);
        return new(waiting.Task);
    }

    /// <summary>The session has answered.</summary>
    public void Leave(string clientId)
    {
        TaskCompletionSource<bool>? next;
        lock (_turns)
        {
            next = _turns[clientId];
            if (next is null)
            {
                _turns.Remove(clientId);
            }
            else
            {
                _turns[clientId] = null;
            }
        }

        next?.SetResult(true);
    }
}
