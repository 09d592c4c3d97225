using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>One session as the specification has it, from its creation to its end, with what its client has received.</summary>
internal sealed class ModelSession(string clientId, HistoryModel model)
{
    private readonly List<ModelSubscription> _subscriptions = [];
    private readonly Dictionary<ushort, (string Filter, ModelSubscription? Subscription)> _requests = [];
    private readonly Dictionary<ushort, ModelDelivery> _deliveries = [];
    private readonly Dictionary<string, int> _copies = [];
    private readonly Dictionary<string, (int Count, long LastAt)> _retained = [];

    // Came with RETAIN, as the retained message or as it was published: nobody can tell.
    private readonly HashSet<string> _perhapsLive = [];
    private readonly Dictionary<(string Publisher, string Topic, int Class), ModelMessage> _latest = [];
    private long _received;
    private long _redelivered = -1;
    private int _connection;
    private bool _isConnected;
    private long _crashedAt = -1;

    /// <summary>Outlives its connection.</summary>
    public bool IsPersistent { get; set; }

    public int ReceiveMaximum { get; set; }

    /// <summary>A QoS 2 message that the client has answered with PUBREC has perhaps not ended.</summary>
    public bool HasReleases => _deliveries.Values.Any(delivery => delivery.QoS == 2 && delivery.IsAnswered && (!delivery.IsCompleted || delivery.Connection != _connection || !_isConnected));

    public void Connected()
    {
        _connection++;
        _isConnected = true;
        _redelivered = -1;
    }

    public void Disconnected()
    {
        _isConnected = false;
        _requests.Clear();
    }

    public void Crashed()
    {
        _crashedAt = model.Now;

        // Sent at QoS 1 before a crash: comes again, but as a message that nobody remembers to have sent.
        foreach (var packetId in _deliveries.Where(delivery => delivery.Value.QoS == 1).Select(delivery => delivery.Key).ToList())
        {
            _deliveries.Remove(packetId);
        }
    }

    public void Subscribing(ushort packetId, string filter, int options)
    {
        var same = _subscriptions.Where(subscription => subscription.Filter == filter).ToList();
        var isNew = same.TrueForAll(subscription => subscription.EndedAt != long.MaxValue);
        var mayBeNew = !same.Exists(subscription => subscription.AcknowledgedAt != long.MaxValue && subscription.EndSentAt == long.MaxValue);
        ModelSubscription subscription = new(filter, options, isNew, mayBeNew, model.Now);
        _subscriptions.Add(subscription);
        _requests.Add(packetId, (filter, subscription));
    }

    public void Subscribed(ushort packetId, byte granted)
    {
        if (_requests.Remove(packetId, out var request) && request.Subscription is { } subscription)
        {
            subscription.AcknowledgedAt = model.Now;
            if (granted != subscription.QoS)
            {
                Fault($"QoS {granted} was granted for {subscription.Filter} instead of {subscription.QoS}");
            }
        }
    }

    public void Unsubscribing(ushort packetId, string filter)
    {
        _requests.Add(packetId, (filter, null));
        foreach (var subscription in _subscriptions.Where(subscription => subscription.Filter == filter && subscription.EndSentAt == long.MaxValue))
        {
            subscription.EndSentAt = model.Now;
        }
    }

    public void Unsubscribed(ushort packetId)
    {
        if (_requests.Remove(packetId, out var request))
        {
            foreach (var subscription in _subscriptions.Where(s => s.Filter == request.Filter && s.EndSentAt != long.MaxValue && s.EndedAt == long.MaxValue))
            {
                subscription.EndedAt = model.Now;
            }
        }
    }

    public void Received(IncomingPublish publish, ModelMessage message)
    {
        if (publish.QoS == 0)
        {
            Deliver(publish, message);
            return;
        }

        if (_deliveries.TryGetValue(publish.PacketId, out var earlier))
        {
            var isCopy = earlier.IsOver && message.Sends > 1 && !publish.IsDuplicate;
            if (earlier.Message == message && earlier.Connection != _connection && !earlier.IsReleased && !isCopy)
            {
                Redeliver(publish, earlier);
                return;
            }

            if (earlier.Message == message && !earlier.IsOver)
            {
                Fault($"{message} came twice on one connection, or after its PUBREL");
            }
            else if (!earlier.IsOver)
            {
                Fault($"packet identifier {publish.PacketId} is in use for {earlier.Message} and came with {message}");
            }
        }

        _deliveries[publish.PacketId] = new(message, publish.QoS, _received++, model.Now, _connection) { HadRetain = publish.IsRetained };
        Deliver(publish, message);
        if (ReceiveMaximum > 0 && _deliveries.Values.Count(delivery => delivery.PublishedOn == _connection && !delivery.IsOver) > ReceiveMaximum)
        {
            Fault($"more than Receive Maximum {ReceiveMaximum} at {message}");
        }
    }

    public void Answering(Answers kind, ushort packetId)
    {
        if (_deliveries.TryGetValue(packetId, out var delivery) && kind != Answers.PubRel)
        {
            delivery.IsAnswered = true;
            delivery.IsCompleted |= kind == Answers.PubComp;
        }
    }

    public void Released(ushort packetId)
    {
        if (!_deliveries.TryGetValue(packetId, out var delivery) || delivery.QoS != 2 || !delivery.IsAnswered)
        {
            Fault($"PUBREL {packetId} for {(delivery is null ? "nothing" : $"{delivery.Message}, which has no PUBREC")}");
            return;
        }

        delivery.IsReleased = true;
        delivery.IsCompleted = false;
        delivery.Connection = _connection;
    }

    /// <summary>What a connected client that answers everything still has to get.</summary>
    public IEnumerable<string> Missing()
    {
        foreach (var message in model.Messages)
        {
            if (message.IsPromised && LowestPromisedQoS(message) >= 1 && !_copies.ContainsKey(message.Payload) && !_perhapsLive.Contains(message.Payload))
            {
                yield return $"{clientId} has not got {message}";
            }
        }

        foreach (var (topic, since) in PromisedRetained())
        {
            if (model.FindRetained(topic) is { } retained && retained.EndedAt < since && retained.QoS > 0 && _retained.GetValueOrDefault(retained.Payload).LastAt < since)
            {
                yield return $"{clientId} has not got {retained} for its subscription";
            }
        }

        foreach (var delivery in _deliveries.Values)
        {
            if (!delivery.IsAnswered && delivery.Connection != _connection)
            {
                yield return $"{clientId} has not got {delivery.Message} again, which it had not answered";
            }
            else if (delivery.QoS == 2 && delivery.IsAnswered && !delivery.IsReleased)
            {
                yield return $"{clientId} has not got PUBREL for {delivery.Message}";
            }
            else if (delivery.IsReleased && !delivery.IsCompleted && delivery.Connection != _connection)
            {
                yield return $"{clientId} has not got PUBREL again for {delivery.Message}, which it had not answered";
            }
        }
    }

    private void Redeliver(IncomingPublish publish, ModelDelivery earlier)
    {
        if (!publish.IsDuplicate && earlier.ReceivedAt > _crashedAt)
        {
            Fault($"{earlier.Message} came again without DUP");
        }

        if (publish.QoS != earlier.QoS)
        {
            Fault($"{earlier.Message} came again with QoS {publish.QoS} instead of {earlier.QoS}");
        }

        if (earlier.ReceivedAt < _crashedAt)
        {
            // Its place among the QoS 1 messages is that of their new arrival.
            earlier.Order = _received++;
            earlier.ReceivedAt = model.Now;
        }
        else if (earlier.Order < _redelivered)
        {
            Fault($"{earlier.Message} came again after one that was later");
        }

        if (publish.QoS == 2 && publish.IsNew)
        {
            Fault($"{earlier.Message} came again and the client took it for new");
        }

        _redelivered = earlier.Order;
        earlier.Connection = earlier.PublishedOn = _connection;
        earlier.IsAnswered = false;
    }

    /// <summary>Topics whose retained message a subscription must have been sent at QoS 1 or 2, with the moment at which it was asked for.</summary>
    private IEnumerable<(string Topic, long Since)> PromisedRetained()
    {
        foreach (var last in _subscriptions.GroupBy(subscription => subscription.Filter).Select(same => same.Last()))
        {
            if (last.MustGetRetained && last.AcknowledgedAt != long.MaxValue && last.EndSentAt == long.MaxValue && last.QoS > 0)
            {
                foreach (var topic in model.Messages.Where(message => message.IsRetained && last.Matches(message.Topic)).Select(message => message.Topic).Distinct())
                {
                    yield return (topic, last.SentAt);
                }
            }
        }
    }

    /// <summary>Takes a message with RETAIN that a subscription may have asked for; false when none has.</summary>
    private bool TryTakeRetained(IncomingPublish publish, ModelMessage message)
    {
        var asking = _subscriptions.Where(subscription => subscription.MayGetRetained && subscription.Matches(message.Topic)
            && message.SentAt < subscription.AcknowledgedAt && model.MayBeRetained(message, subscription.SentAt)).ToList();
        var kept = _subscriptions.Where(subscription => subscription.KeepsRetain && subscription.MayCover(message)).Select(subscription => subscription.Filter).Distinct().Count();
        if (asking.Count == 0)
        {
            return false;
        }

        var count = _retained.GetValueOrDefault(message.Payload).Count + 1;
        _retained[message.Payload] = (count, model.Now);
        if (kept > 0)
        {
            _perhapsLive.Add(message.Payload);
        }

        // A later SUBSCRIBE may change the QoS of what an earlier one asked for and has not got yet.
        var asked = _subscriptions.Where(subscription => asking.Exists(each => each.Filter == subscription.Filter && each.SentAt <= subscription.SentAt));
        if (!asked.Any(subscription => Math.Min(subscription.QoS, message.QoS) == publish.QoS) && kept == 0)
        {
            Fault($"{message} came as the retained one with QoS {publish.QoS}");
        }
        else if (count > asking.Count + (kept * message.Sends) && message.SentAt > _crashedAt && asking.TrueForAll(subscription => subscription.SentAt > _crashedAt))
        {
            Fault($"{message} came {count} times as the retained one");
        }

        return true;
    }

    private void CheckRetain(IncomingPublish publish, ModelMessage message)
    {
        var covering = _subscriptions.Where(subscription => subscription.MayCover(message)).ToList();
        if (covering.Count > 0 && !(publish.IsRetained ? message.IsRetained && covering.Exists(each => each.KeepsRetain) : !message.IsRetained || covering.Exists(each => !each.KeepsRetain)))
        {
            Fault($"{message} came {(publish.IsRetained ? "with" : "without")} RETAIN");
        }
    }

    private void Deliver(IncomingPublish publish, ModelMessage message)
    {
        if (publish.IsRetained && TryTakeRetained(publish, message))
        {
            return;
        }

        CheckRetain(publish, message);
        if (message.IsRetained)
        {
            // On its way when a subscription asked for it: its client has it then.
            _retained[message.Payload] = (_retained.GetValueOrDefault(message.Payload).Count, model.Now);
        }

        var copies = _copies.GetValueOrDefault(message.Payload) + 1;
        _copies[message.Payload] = copies;
        var covering = _subscriptions.Where(subscription => subscription.MayCover(message)).ToList();
        var filters = covering.Select(subscription => subscription.Filter).Distinct().Count();
        if (filters == 0)
        {
            Fault($"{message} came with no subscription to it");
        }
        else if (!covering.Exists(subscription => Math.Min(subscription.QoS, message.QoS) == publish.QoS))
        {
            Fault($"{message} came with QoS {publish.QoS}");
        }
        else if (copies > filters && MustBeSingle(publish, message))
        {
            Fault($"{message} came {copies} times with QoS {publish.QoS}");
        }

        if (publish.IsDuplicate && _connection == 1)
        {
            Fault($"{message} came with DUP on the first connection of its session");
        }

        if (copies > 1 || (message.Sends > 1 && (publish.QoS == 0 || !_subscriptions.Exists(subscription => subscription.MustCover(message)))))
        {
            // A publish that was sent again may come late to a subscription that began meanwhile, and at QoS 0 to a client that was away when it came first.
            return;
        }

        var key = (message.Publisher, message.Topic, model.Has(Deviations.OrderOfEachQoS) ? (message.QoS * 3) + publish.QoS : Math.Min(publish.QoS, 1));
        if (_latest.TryGetValue(key, out var latest) && latest.Sequence > message.Sequence)
        {
            Fault($"{message} came after {latest}");
        }

        _latest[key] = message;
    }

    private bool MustBeSingle(IncomingPublish publish, ModelMessage message) =>
        publish.QoS == 2 || ((publish.QoS == 0 || message.SentAt > _crashedAt) && (message.Sends == 1 || message.QoS == 2));

    /// <summary>The QoS with which a message must come at least, however the subscriptions that are still changing are taken.</summary>
    private int LowestPromisedQoS(ModelMessage message)
    {
        var highest = 0;
        foreach (var certain in _subscriptions)
        {
            if (certain.MustCover(message))
            {
                var granted = _subscriptions.Where(s => s.Filter == certain.Filter && s.EndSentAt == long.MaxValue).Min(subscription => subscription.QoS);
                highest = Math.Max(highest, Math.Min(granted, message.QoS));
            }
        }

        return model.Has(Deviations.OverlappingQoS0) && _subscriptions.Exists(s => s.QoS == 0 && s.MayCover(message)) ? 0 : highest;
    }

    private void Fault(string what) => model.Fault($"{clientId}: {what}");
}
