using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>One step of a history; each kind uses what it needs of the rest.</summary>
internal sealed record HistoryStep(StepKind Kind, int Client = -1)
{
    /// <summary>Topic or filter, below the history's own prefix.</summary>
    public string Topic { get; init; } = "";

    public int QoS { get; init; }

    public bool IsClean { get; init; }

    public bool IsPersistent { get; init; }

    public int ReceiveMaximum { get; init; }

    /// <summary>The next step waits for the server's first answer to this one.</summary>
    public bool Waits { get; init; }

    public bool IsLong { get; init; }

    /// <summary>Publish: to be retained.</summary>
    public bool IsRetained { get; init; }

    /// <summary>Subscribe: beyond the QoS, for MQTT 5.</summary>
    public int Options { get; init; }

    public Answers Kinds { get; init; }

    public int Count { get; init; }

    public override string ToString() => Kind switch
    {
        StepKind.Connect => $"client {Client}: connect{(IsClean ? " clean" : "")}{(IsPersistent ? " persistent" : "")}{(ReceiveMaximum > 0 ? $" receive maximum {ReceiveMaximum}" : "")}",
        StepKind.Subscribe or StepKind.Publish => $"client {Client}: {Name} {Topic} QoS {QoS}{(IsLong ? " long" : "")}{(IsRetained ? " retained" : "")}{(Options > 0 ? $" options {Options:X2}" : "")}{Waiting}",
        StepKind.Unsubscribe => $"client {Client}: {Name} {Topic}{Waiting}",
        StepKind.Answer => $"client {Client}: {Name} {Count} of {Kinds}",
        StepKind.Crash => "the server crashes",
        _ => $"client {Client}: {Name}",
    };

    private string Name => Kind.ToString().ToLowerInvariant();

    private string Waiting => Waits ? ", and waits" : "";
}
