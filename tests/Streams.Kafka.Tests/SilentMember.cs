using Xunit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>Lets a silo fail when it is asked what it does in the cluster.</summary>
internal sealed class SilentMember : IIncomingGrainCallFilter
{
    private readonly SemaphoreSlim _failures = new(0);
    private volatile bool _isOver;

    public async Task WaitForFailuresAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.True(await _failures.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        }
    }

    public void End() => _isOver = true;

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (_isOver || context.Request.GetInterfaceType() != typeof(IMemberService) || context.Request.GetMethodName() != nameof(IMemberService.Get))
        {
            return context.Invoke();
        }

        _failures.Release();
        throw new InvalidOperationException("Silent.");
    }
}
