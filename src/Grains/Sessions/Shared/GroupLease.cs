namespace OrleansMqtt.Grains;

/// <summary>A message that a member of a group has.</summary>
internal sealed class GroupLease(long number, SharedGroup group, GroupMember member, MessageReference reference, byte qos, int bytes)
{
    public long Number { get; } = number;

    public SharedGroup Group { get; } = group;

    public GroupMember Member { get; } = member;

    /// <summary>The message, with the QoS that it has in the group.</summary>
    public MessageReference Reference { get; } = reference;

    /// <summary>The QoS that it is delivered with.</summary>
    public byte QoS { get; } = qos;

    public int Bytes { get; } = bytes;

    /// <summary>Whether the member may have taken it before, see <see cref="DoubtfulLease"/>.</summary>
    public bool IsRepeated { get; init; }

    /// <summary>See <see cref="LeaseEndKind.Taken"/>.</summary>
    public bool IsTaken { get; set; }

    /// <summary>Its place in <see cref="LeaseList"/>.</summary>
    public int Place { get; set; }
}
