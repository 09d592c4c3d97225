using System.Collections.Concurrent;
using OrleansMqtt.Edge.Redirecting;

namespace OrleansMqtt.Edge.Tests;

internal sealed class FakeDirectory : IEdgeDirectory
{
    private readonly SemaphoreSlim _told = new(0);
    private int _next;

    /// <summary>The owner's address by client identifier.</summary>
    public Dictionary<string, string> Owners { get; } = [];

    public string? Other { get; set; }

    public bool HasOthers => Other is not null;

    public string? FindOwner(string clientId) => Owners.GetValueOrDefault(clientId);

    public string? FindOther() => Other;

    /// <summary>What was told to the other edges, in order.</summary>
    public ConcurrentQueue<string> Told { get; } = [];

    /// <summary>Waits until something is told, each time the next.</summary>
    public async Task<string> NextToldAsync()
    {
        Assert.True(await _told.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        return Told.ElementAt(_next++);
    }

    public void SetFull(bool isFull) => Tell(isFull ? "full" : "not full");

    /// <summary>Completes when the others know that the edge leaves; null when they do at once.</summary>
    public TaskCompletionSource? Leaving { get; set; }

    public Task OpenAsync() => Task.CompletedTask;

    public Task LeaveAsync()
    {
        Tell("leaves");
        return Leaving?.Task ?? Task.CompletedTask;
    }

    private void Tell(string what)
    {
        Told.Enqueue(what);
        _told.Release();
    }
}
