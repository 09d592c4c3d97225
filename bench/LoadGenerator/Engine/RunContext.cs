using System.Net;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>What all workers of a run share.</summary>
internal sealed class RunContext(LoadSettings settings, IReadOnlyList<IPEndPoint> servers, string? password, LedgerFile? ledger)
{
    public LoadSettings Settings { get; } = settings;

    public IReadOnlyList<IPEndPoint> Servers { get; } = servers;

    public string? Password { get; } = password;

    public LedgerFile? Ledger { get; } = ledger;

    public RunClock Clock { get; } = new();

    public RunErrors Errors { get; } = new();

    /// <summary>Per worker, per publisher: messages that its subscribers have received. Only with a window by delivery.</summary>
    public long[][] DeliveredOf { get; set; } = [];

    /// <summary>What the group has received, per publisher; only in scenario Shared.</summary>
    public GroupTracker[] Group { get; } = settings.Scenario == Scenario.Shared ? [.. Enumerable.Range(0, settings.Publishers).Select(_ => new GroupTracker())] : [];

    public bool WindowByDelivery => Settings is { WindowBy: WindowBy.Delivery, Rate: 0, Window: > 0, Subscribers: > 0 };
}
