namespace OrleansMqtt.Grains;

/// <summary>What a group needs of its partition.</summary>
internal interface ISharedGroupDispatch
{
    /// <summary>How many messages may wait for a group.</summary>
    int MaximumQueued { get; }

    long NextLeaseNumber();

    /// <summary>Finds a message; null when the log does not hold it any more. False when it has to be read first: <see cref="SharedGroup.Pump"/> is called then.</summary>
    bool Find(Session session, MessageReference reference, out MqttMessage? message);

    /// <summary>Offers a message to its member.</summary>
    void Offer(GroupLease lease, MqttMessage message);

    /// <summary>Offers a message of QoS 0, which nobody keeps track of.</summary>
    void Offer(GroupMember member, int link, MqttMessage message);

    /// <summary>The lease is over.</summary>
    void Forget(GroupLease lease);

    /// <summary>What is stored of the group has changed.</summary>
    void MarkDirty(SharedGroup group);
}
