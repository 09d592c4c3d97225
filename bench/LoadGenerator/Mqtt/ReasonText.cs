namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>Names of refusals, for messages to people.</summary>
internal static class ReasonText
{
    /// <summary>A CONNACK's return code (3.1.1, section 3.2.2.3) or reason code (5, section 3.2.2.2).</summary>
    public static string OfConnAck(byte reason, int protocol) => (protocol < 5, reason) switch
    {
        (true, 1) => "1 (unacceptable protocol version)",
        (true, 2) => "2 (identifier rejected)",
        (true, 3) => "3 (server unavailable)",
        (true, 4) => "4 (bad user name or password)",
        (true, 5) => "5 (not authorized)",
        (true, _) => $"{reason}",
        (false, _) => OfReason(reason),
    };

    public static string OfReason(byte reason) => reason switch
    {
        0x80 => "0x80 (unspecified error)",
        0x81 => "0x81 (malformed packet)",
        0x82 => "0x82 (protocol error)",
        0x84 => "0x84 (unsupported protocol version)",
        0x85 => "0x85 (client identifier not valid)",
        0x86 => "0x86 (bad user name or password)",
        0x87 => "0x87 (not authorized)",
        0x88 => "0x88 (server unavailable)",
        0x89 => "0x89 (server busy)",
        0x8B => "0x8B (server shutting down)",
        0x8D => "0x8D (keep alive timeout)",
        0x8E => "0x8E (session taken over)",
        0x93 => "0x93 (receive maximum exceeded)",
        0x95 => "0x95 (packet too large)",
        0x97 => "0x97 (quota exceeded)",
        0x9B => "0x9B (QoS not supported)",
        0x9C => "0x9C (use another server)",
        0x9D => "0x9D (server moved)",
        0x9F => "0x9F (connection rate exceeded)",
        _ => $"0x{reason:X2}",
    };
}
