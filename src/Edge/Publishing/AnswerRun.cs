using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Packets that need nothing but an answer, in its turn: a QoS 2 publish that was sent again, or its PUBREL, while the first answer is still due, or a publish that is refused.
/// </summary>
internal sealed class AnswerRun(OutstandingPublishes owner, EntryOutcome outcome) : InboundRun(owner)
{
    /// <summary>What became of all of them.</summary>
    public EntryOutcome Outcome => outcome;

    public override RunPaths Path => RunPaths.None;

    public void Add(PacketType answer, ushort packetId, int bytes)
        => AddEntry(answer, packetId, freesRoom: answer == PacketType.PubComp || outcome is EntryOutcome.PayloadFormatInvalid or EntryOutcome.NotAuthorized, bytes);

    public void Settle()
    {
        for (var i = 0; i < Count; i++)
        {
            Settle(i, outcome);
        }
    }
}
