namespace OrleansMqtt.Grains;

/// <summary>A member of a group, as the group sees it.</summary>
internal sealed class GroupMember(string clientId, int partition, long number)
{
    public string ClientId { get; } = clientId;

    /// <summary>The partition of its session.</summary>
    public int Partition { get; } = partition;

    /// <summary>See <see cref="MemberChange.Number"/>.</summary>
    public long Number { get; } = number;

    public int Slot { get; private set; }

    public ConnectionEpoch Epoch { get; private set; }

    public byte MaximumQoS { get; private set; }

    public bool IsConnected { get; private set; }

    public bool IsDurable { get; private set; }

    /// <summary>Whether it was heard of since its partition began anew.</summary>
    public bool IsConfirmed { get; set; } = true;

    public int MaximumLeases { get; private set; }

    public long MaximumBytes { get; private set; }

    /// <summary>The messages that it has.</summary>
    public int Leases { get; set; }

    /// <summary>Their payload.</summary>
    public long Bytes { get; set; }

    /// <summary>When it got its last message: of those with equally many, the one that waits longest is next.</summary>
    public long Turn { get; set; }

    /// <summary>Its place in <see cref="MemberQueue"/>; -1 when it is not in it.</summary>
    public int QueueIndex { get; set; } = -1;

    /// <summary>Whether it may have another message. One that is larger than the bound goes alone.</summary>
    public bool HasRoom => IsConnected && Leases < MaximumLeases && Bytes < MaximumBytes;

    public void Update(MemberChange change)
    {
        (Slot, Epoch, MaximumQoS) = (change.Slot, change.Epoch, change.MaximumQoS);
        (IsConnected, IsDurable, MaximumLeases, MaximumBytes) = (change.IsConnected, change.IsDurable, change.MaximumLeases, change.MaximumBytes);
    }

    public void Disconnect() => IsConnected = false;
}
