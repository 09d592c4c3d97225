namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>What a CONNECT says (section 3.1).</summary>
internal sealed record ConnectOptions(int Protocol, string ClientId)
{
    /// <summary>Clean Session of MQTT 3.1.1, Clean Start of MQTT 5.</summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>Session Expiry Interval in seconds (MQTT 5); null leaves it out: the session ends with its connection.</summary>
    public uint? SessionExpiry { get; init; }

    public ushort KeepAlive { get; init; }

    /// <summary>Receive Maximum (MQTT 5); 0 leaves it out.</summary>
    public int ReceiveMaximum { get; init; }

    public string? UserName { get; init; }

    public string? Password { get; init; }

    public Will? Will { get; init; }
}
