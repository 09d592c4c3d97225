namespace OrleansMqtt.Faults;

/// <summary>A subscriber without a session: from SUBACK to the end of its connection it gets everything that is published meanwhile, in order.</summary>
internal sealed class CleanObserver(string clientId, IReadOnlyList<string> publishers, int qos, KillLedger ledger, ServiceGauge gauge) : SessionObserver
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int From, int Next)> _expected = [];
    private readonly HashSet<(string Publisher, int Sequence)> _missing = [];

    /// <summary>Never came, though its connection lived on.</summary>
    public long Lost { get; private set; }

    /// <summary>Of QoS 2, twice on one connection.</summary>
    public long Duplicates { get; private set; }

    /// <summary>What has not come yet on the connection that lives.</summary>
    public long Missing
    {
        get
        {
            lock (_lock)
            {
                return _missing.Count + _expected.Sum(entry => Math.Max(0, ledger.Sent(entry.Key) - Math.Max(entry.Value.From, entry.Value.Next)));
            }
        }
    }

    public override void Subscribed(ushort packetId, byte granted)
    {
        lock (_lock)
        {
            foreach (var publisher in publishers)
            {
                _expected[publisher] = (ledger.Sent(publisher), 0);
            }
        }
    }

    public override void Received(IncomingPublish publish)
    {
        if (!publish.IsNew)
        {
            return;
        }

        gauge.Serve();
        var (publisher, number) = KillLedger.Split(publish.Payload);
        var sequence = (int)number;
        lock (_lock)
        {
            // Before SUBACK the first ones may come already.
            if (!_expected.TryGetValue(publisher, out var expected))
            {
                return;
            }

            for (var gap = Math.Max(expected.From, expected.Next); gap < sequence; gap++)
            {
                _missing.Add((publisher, gap));
            }

            if (sequence < expected.Next && !_missing.Remove((publisher, sequence)) && qos == 2 && sequence >= expected.From)
            {
                Duplicates++;
                ledger.Notes.Enqueue($"{clientId}: '{publish.Payload}' twice, packet {publish.PacketId}");
            }

            _expected[publisher] = (expected.From, Math.Max(expected.Next, sequence + 1));
        }
    }

    public override void Disconnected(string? reason)
    {
        lock (_lock)
        {
            if (_missing.Count > 0)
            {
                ledger.Notes.Enqueue($"{clientId}: never came: {string.Join(", ", _missing.Take(10))} of {_missing.Count}; {reason}");
            }

            Lost += _missing.Count;
            _missing.Clear();
            _expected.Clear();
        }

        if (reason is not null)
        {
            gauge.Close();
        }
    }

    public override void Violated(string what) => ledger.Violations.Enqueue($"{clientId}: {what}");
}
