namespace OrleansMqtt.Edge.Protocol;

/// <summary>Reason Strings of packets that are written without an array of their own, by reason code: what a reason code alone leaves open.</summary>
internal static class ReasonText
{
    /// <summary>Empty when there is nothing to add.</summary>
    public static ReadOnlySpan<byte> Of(byte reasonCode) => (ReasonCode)reasonCode switch
    {
        ReasonCode.PacketIdentifierNotFound => "No message with this packet identifier is in flight."u8,
        ReasonCode.PayloadFormatInvalid => "The payload is not UTF-8, which its Payload Format Indicator promises."u8,
        ReasonCode.NotAuthorized => "The client may not do this."u8,
        ReasonCode.QuotaExceeded => "A limit of the server is reached."u8,
        _ => default,
    };
}
