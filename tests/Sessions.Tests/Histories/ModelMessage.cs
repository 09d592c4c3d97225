namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>A published message, known by its payload. Moments are those of the model's clock.</summary>
internal sealed class ModelMessage(string publisher, string topic, string payload, int qos, int sequence, long sentAt)
{
    public string Publisher => publisher;

    public string Topic => topic;

    public string Payload => payload;

    public int QoS => qos;

    /// <summary>Counts all messages of a publisher, in the order of sending.</summary>
    public int Sequence => sequence;

    public long SentAt => sentAt;

    /// <summary>How often its publisher has sent it.</summary>
    public int Sends { get; set; } = 1;

    /// <summary>The server is responsible for it.</summary>
    public bool IsPromised { get; set; }

    /// <summary>PUBACK or PUBCOMP came: it cannot be matched to a later subscription.</summary>
    public long EndedAt { get; set; } = long.MaxValue;

    public override string ToString() => $"{payload.Split(' ')[0]} (QoS {qos}, {topic})";
}
