namespace OrleansMqtt.Faults;

/// <summary>Clients with wills around one fault, two of each kind on different edges: they stay, drop their socket while the fault lasts, or have said good-bye before.</summary>
internal sealed class FaultWills(string prefix, int round, EdgePorts ports, KillLedger ledger) : IDisposable
{
    private readonly List<Entry> _entries = [];

    private enum End
    {
        Stays,
        Drops,
        Disconnects,
    }

    public async Task StartAsync()
    {
        for (var i = 0; i < 6; i++)
        {
            Entry entry = new($"{prefix}-w{round}-{i}", (End)(i / 2), i % 2 == 0 ? 5 : 4);
            await entry.Client.ConnectAsync(ports.Take(i), cleanStart: true, null, will: new($"{prefix}/will/{i}", entry.Payload, 2, 0));
            _entries.Add(entry);
        }

        foreach (var entry in _entries.Where(entry => entry.End == End.Disconnects))
        {
            await entry.Client.DisconnectAsync();
        }
    }

    /// <summary>In the middle of the fault.</summary>
    public void Drop() => _entries.FindAll(entry => entry.End == End.Drops).ForEach(entry => entry.Client.Drop(isReset: false));

    /// <summary>Those that stayed and still are connected say good-bye, which takes their wills back.</summary>
    public async Task EndAsync()
    {
        foreach (var entry in _entries.Where(entry => entry.End == End.Stays))
        {
            if (entry.Client.IsConnected)
            {
                await entry.Client.DisconnectAsync();
            }
        }
    }

    public bool IsComplete => _entries.TrueForAll(entry => !entry.IsExpected || ledger.Wills(entry.Payload) > 0);

    public int Wrong => _entries.Count(IsWrong);

    public string Describe() => string.Join(", ", _entries.Where(IsWrong).Select(entry => $"{entry.Payload} ({entry.End}, expected {entry.IsExpected}): {ledger.Wills(entry.Payload)}"));

    public void Dispose() => _entries.ForEach(entry => entry.Client.Dispose());

    private bool IsWrong(Entry entry) => ledger.Wills(entry.Payload) != (entry.IsExpected ? 1 : 0);

    private sealed class Entry : SessionObserver
    {
        private bool _isClosedByServer;

        public Entry(string payload, End end, int protocol) => (Payload, End, Client) = (payload, end, new(payload, protocol, this));

        public string Payload { get; }

        public End End { get; }

        public SessionClient Client { get; }

        public bool IsExpected => End == End.Drops || (End == End.Stays && _isClosedByServer);

        public override void Disconnected(string? reason) => _isClosedByServer |= reason is not null;
    }
}
