namespace OrleansMqtt.Edge.Configuration;

/// <summary>The MQTT edge (section <c>Mqtt</c>).</summary>
public sealed class EdgeOptions
{
    /// <summary>The section.</summary>
    public const string SectionName = "Mqtt";

    /// <summary>Where clients connect. With none configured: one on port 1883 for MQTT and WebSocket, on every address.</summary>
    public IList<ListenerOptions> Listeners { get; } = [];

    /// <summary>What carries the bytes of the clients.</summary>
    public EdgeTransport Transport { get; set; }

    /// <summary>The greatest packet in bytes that a client may send (Maximum Packet Size). From 1,024 to 268,435,460.</summary>
    public int MaximumPacketSize { get; set; } = 1024 * 1024;

    /// <summary>How many QoS 1 and 2 publishes an MQTT 5 client may have unacknowledged (Receive Maximum). From 1 to 65,535.</summary>
    public int ReceiveMaximum { get; set; } = 1000;

    /// <summary>Whether clients may publish retained messages and are sent them (Retain Available).</summary>
    public bool RetainAvailable { get; set; } = true;

    /// <summary>The longest Keep Alive in seconds; MQTT 5 clients that ask for more, or none, are told this one (Server Keep Alive). 0 leaves it to the client.</summary>
    public int MaximumKeepAlive { get; set; }

    /// <summary>The greatest QoS of messages and subscriptions: 0, 1 or 2 (Maximum QoS).</summary>
    public int MaximumQoS { get; set; } = 2;

    /// <summary>Whether filters may hold wildcards (Wildcard Subscription Available).</summary>
    public bool WildcardSubscriptionsAvailable { get; set; } = true;

    /// <summary>Whether clients may share subscriptions (Shared Subscription Available).</summary>
    public bool SharedSubscriptionsAvailable { get; set; } = true;

    /// <summary>Whether subscriptions may have identifiers (Subscription Identifier Available).</summary>
    public bool SubscriptionIdentifiersAvailable { get; set; } = true;

    /// <summary>How many topic aliases a client may use (Topic Alias Maximum); 0 none. They take memory once they are used.</summary>
    public int TopicAliasMaximum { get; set; } = 64;

    /// <summary>How many topic aliases are used to a client, if its own Topic Alias Maximum is not smaller: 0 (none) to 1,024.</summary>
    public int OutgoingTopicAliases { get; set; } = 32;

    /// <summary>
    /// What response topics begin with, for MQTT 5 clients that ask (Response Information); <c>{clientId}</c> stands for the client identifier. Null: no client is told one.
    /// </summary>
    public string? ResponseTopicPrefix { get; set; }

    /// <summary>Whether payloads whose Payload Format Indicator says that they are UTF-8 are checked, and refused when they are not.</summary>
    public bool ValidatePayloadFormat { get; set; }

    /// <summary>Whether clients of MQTT 3.1 (<c>MQIsdp</c>) are served.</summary>
    public bool AllowMqtt31 { get; set; }

    /// <summary>How often the <c>$SYS</c> topics get new values, in seconds; 0 turns them off.</summary>
    public int SysInterval { get; set; } = 10;

    /// <summary>Who may connect.</summary>
    public AuthenticationOptions Authentication { get; } = new();

    /// <summary>How long a new connection may take to send its CONNECT and to authenticate, and a re-authentication.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The most connections; those beyond are closed at once.</summary>
    public int MaximumConnections { get; set; } = 1_000_000;

    /// <summary>The most bytes of publishes that one connection may have on their way to the log; its socket is not read meanwhile. At least <see cref="MaximumPacketSize"/>.</summary>
    public long ConnectionPublishBytes { get; set; } = 1024 * 1024;

    /// <summary>The most bytes of publishes that all connections together may have on their way to the log. At least twice <see cref="MaximumPacketSize"/>, and <see cref="ConnectionPublishBytes"/>.</summary>
    public long TotalPublishBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>How late the owners of the sessions may be with what they are told before publishers are slowed down. More than zero.</summary>
    public TimeSpan DelayLimit { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The most bytes that may wait for a client that reads slowly; QoS 0 messages beyond are dropped.</summary>
    public long ConnectionOutboundBytes { get; set; } = 1024 * 1024;

    /// <summary>How long a stop takes at most: to move clients to other servers, and to wait for publishes that are on their way to the log.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Where clients reach this edge, as <c>host:port</c>: what clients of other edges are told when they are sent here (Server Reference, MQTT 5, 4.11). Null: nobody is sent here.
    /// </summary>
    public string? AdvertisedAddress { get; set; }

    /// <summary>Whether an MQTT 5 client is sent to the edge of the process that owns its session (CONNACK 0x9C), where its messages take one hop less.</summary>
    public bool Redirect { get; set; }

    /// <summary>
    /// From how many connections on new ones are turned away: to another edge (CONNACK 0x9D with a Server Reference) where there is one, else with 0x97; clients of MQTT 3.1.1 with
    /// return code 3. 0: never.
    /// </summary>
    public int ShedConnectionsAbove { get; set; }

    /// <summary>How many clients a second are moved to other edges while this one stops, as far as <see cref="ShutdownTimeout"/> allows.</summary>
    public int DrainRate { get; set; } = 2000;

    /// <summary>
    /// When the process did not run for longer than this, and there are other silos, it closes its connections before it reads on. Less than the cluster takes to call a silo dead.
    /// </summary>
    public TimeSpan FreezeLimit { get; set; } = TimeSpan.FromSeconds(4);
}
