namespace OrleansMqtt.Faults;

/// <summary>The rows of the failure matrix.</summary>
internal enum FaultKind
{
    SiloKill,
    JoiningSiloKill,
    SiloHang,
    SiloIsolation,
    EdgeKill,
    EdgeHang,
    PlannedMove,
    RollingRestart,
    WholeClusterKill,
    KafkaRestart,
    KafkaPause,
    PostgresRestart,
    SlowSubscriber,
    ConnectFlood,
    MalformedPackets,
}
