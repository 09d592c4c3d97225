namespace OrleansMqtt.Faults;

/// <summary>What came of one fault; counts are those of this fault alone.</summary>
/// <param name="Kind">The fault.</param>
/// <param name="Acknowledged">Messages with a PUBACK or PUBREC.</param>
/// <param name="Delivered">Messages that subscribers with a session got.</param>
/// <param name="Lost">Messages that a subscriber did not get, though it should have.</param>
/// <param name="Duplicates">QoS 2 messages that came twice.</param>
/// <param name="OutOfOrder">Messages that came before an earlier one of their publisher.</param>
/// <param name="LostSessions">Sessions that were gone when their client came back.</param>
/// <param name="WrongWills">Wills that did not come, came twice, or came of a client that had said good-bye.</param>
/// <param name="Violations">What the server may not send.</param>
/// <param name="Closed">Connections of the load that the server ended.</param>
/// <param name="MayClose">Whether such a fault may end connections.</param>
/// <param name="LeastClosed">How many it has to end: those of the edge that is its victim.</param>
/// <param name="HasSettled">Whether everything had arrived, and every handshake had ended, in the time that there was for it.</param>
/// <param name="PublishPause">The longest time that a publisher got no acknowledgement.</param>
/// <param name="DeliveryPause">The longest time that a subscriber got nothing.</param>
/// <param name="Expected">How long a pause may be.</param>
internal sealed record FaultRow(
    FaultKind Kind, long Acknowledged, long Delivered, long Lost, long Duplicates, long OutOfOrder, int LostSessions, int WrongWills, int Violations, int Closed, bool MayClose, int LeastClosed, bool HasSettled,
    TimeSpan PublishPause, TimeSpan DeliveryPause, TimeSpan Expected)
{
    /// <summary>Nothing that was promised was broken; how long it took counts apart.</summary>
    public bool IsCorrect => (Lost, Duplicates, OutOfOrder, LostSessions, WrongWills, Violations) == (0, 0, 0, 0, 0, 0) && Closed >= LeastClosed && (Closed == 0 || MayClose) && HasSettled;

    public bool IsInTime => PublishPause <= Expected && DeliveryPause <= Expected;

    public override string ToString() =>
        $"{Kind}: {Acknowledged} acknowledged, {Delivered} delivered, lost {Lost}, QoS 2 duplicates {Duplicates}, out of order {OutOfOrder}, sessions lost {LostSessions}, wills wrong {WrongWills}, violations {Violations}, "
        + $"connections closed {Closed}, without service: publishers {PublishPause.TotalSeconds:F1} s, subscribers {DeliveryPause.TotalSeconds:F1} s (expected {Expected.TotalSeconds:F0} s{(IsInTime ? "" : ", OVER")})"
        + (HasSettled ? "" : " NOT SETTLED") + (IsCorrect ? "" : " WRONG");
}
