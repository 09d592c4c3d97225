namespace OrleansMqtt.Grains.Tests;

/// <summary>An edge answers an owner that asks for its connections when this is open.</summary>
internal sealed class HandOverGate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Opened => _opened.Task;

    public void Open() => _opened.TrySetResult();
}
