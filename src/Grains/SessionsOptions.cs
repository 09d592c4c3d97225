namespace OrleansMqtt.Grains;

/// <summary>Limits of sessions. Configuration section <c>Sessions</c>.</summary>
public sealed class SessionsOptions
{
    /// <summary>The greatest number of unacknowledged QoS 1 and 2 messages sent to a client, if its Receive Maximum is not smaller; 1 to 65,535.</summary>
    public int MaximumInflight { get; set; } = 256;

    /// <summary>The bytes of payload that may be unacknowledged per client; the first message is always sent.</summary>
    public int MaximumInflightBytes { get; set; } = 1 << 20;

    /// <summary>The greatest number of messages that wait for a client, as references into the log (16 bytes each); newer ones are dropped and counted.</summary>
    public int MaximumQueuedMessages { get; set; } = 100_000;
}
