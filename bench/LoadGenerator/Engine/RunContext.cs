using System.Net;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>What all workers of a run share.</summary>
internal sealed class RunContext(LoadSettings settings, IPEndPoint server, string? password, LedgerFile? ledger)
{
    public LoadSettings Settings { get; } = settings;

    public IPEndPoint Server { get; } = server;

    public string? Password { get; } = password;

    public LedgerFile? Ledger { get; } = ledger;

    public RunClock Clock { get; } = new();

    public RunErrors Errors { get; } = new();

    /// <summary>Per worker, per publisher: messages that its subscribers have received. Only with a window by delivery.</summary>
    public long[][] DeliveredOf { get; set; } = [];

    public bool WindowByDelivery => Settings is { WindowBy: WindowBy.Delivery, Rate: 0, Window: > 0, Subscribers: > 0 };
}
