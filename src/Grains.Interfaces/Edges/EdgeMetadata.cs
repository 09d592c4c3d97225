namespace OrleansMqtt;

/// <summary>How an edge tells the others in Orleans' silo metadata where clients reach it.</summary>
public static class EdgeMetadata
{
    /// <summary>The metadata key: <c>host:port</c>, as it is sent to clients (Server Reference, MQTT 5, 4.11). An edge without it is never named.</summary>
    public const string AddressKey = "orleansmqtt.address";
}
