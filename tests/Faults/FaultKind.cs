namespace OrleansMqtt.Faults;

/// <summary>The rows of the failure matrix.</summary>
internal enum FaultKind
{
    SiloKill,
    SiloHang,
    SiloIsolation,
    EdgeKill,
    EdgeHang,
    PlannedMove,
    RollingRestart,
    KafkaRestart,
    KafkaPause,
    PostgresRestart,
    SlowSubscriber,
    ConnectFlood,
    MalformedPackets,
}
