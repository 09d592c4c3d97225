namespace OrleansMqtt.Grains.Tests;

/// <summary>An edge answers an owner that asks for its connections when this is open.</summary>
internal sealed class HandOverGate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>One that is open from the start.</summary>
    public static HandOverGate CreateOpen()
    {
        HandOverGate gate = new();
        gate.Open();
        return gate;
    }

    public Task Opened => _opened.Task;

    public void Open() => _opened.TrySetResult();
}
