namespace OrleansMqtt.Grains;

/// <summary>A message of a group for one of its members.</summary>
/// <param name="Number">The lease; grows with each lease of a group, over all its owners. 0 for a message of QoS 0, which is not kept track of.</param>
/// <param name="Member">From <see cref="MemberChange.Number"/>.</param>
/// <param name="Slot">The member's session.</param>
/// <param name="Epoch">Its connection: an offer for another one is refused.</param>
/// <param name="Source">The index of the messages partition in <see cref="LeaseBatch.Sources"/>.</param>
/// <param name="QoS">The QoS to deliver it with.</param>
/// <param name="Message">The message.</param>
/// <param name="IsRepeated">Whether the member may have taken it before, see <see cref="DoubtfulLease"/>.</param>
/// <param name="IsFilling">Whether the mailbox of the group fills up.</param>
[GenerateSerializer, Immutable, Alias("lease-offer")]
internal readonly record struct LeaseOffer(
    [property: Id(0)] long Number,
    [property: Id(1)] long Member,
    [property: Id(2)] int Slot,
    [property: Id(3)] ConnectionEpoch Epoch,
    [property: Id(4)] int Source,
    [property: Id(5)] byte QoS,
    [property: Id(6)] MqttMessage Message,
    [property: Id(7)] bool IsRepeated = false,
    [property: Id(8)] bool IsFilling = false);
