namespace OrleansMqtt.Faults;

/// <summary>The rows of the failure matrix.</summary>
internal enum FaultKind
{
    SiloKill,
    SiloHang,
    EdgeKill,
    RollingRestart,
    KafkaRestart,
    KafkaPause,
    PostgresRestart,
    SlowSubscriber,
    ConnectFlood,
    MalformedPackets,
}
