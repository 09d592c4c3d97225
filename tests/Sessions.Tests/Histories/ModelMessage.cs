using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>A published message, known by its payload. Moments are those of the model's clock.</summary>
internal sealed class ModelMessage(string publisher, OutgoingPublish publish, int sequence, long sentAt)
{
    public string Publisher => publisher;

    public string Topic => publish.Topic;

    public string Payload => publish.Payload;

    public int QoS => publish.QoS;

    public bool IsRetained => publish.IsRetained;

    /// <summary>Counts all messages of a publisher, in the order of sending.</summary>
    public int Sequence => sequence;

    public long SentAt => sentAt;

    /// <summary>How often its publisher has sent it.</summary>
    public int Sends { get; set; } = 1;

    /// <summary>The server is responsible for it.</summary>
    public bool IsPromised { get; set; }

    /// <summary>PUBACK or PUBCOMP came: it cannot be matched to a later subscription.</summary>
    public long EndedAt { get; set; } = long.MaxValue;

    public override string ToString() => $"{Payload.Split(' ')[0]} (QoS {QoS}, {Topic}{(IsRetained ? ", retained" : "")})";
}
