using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>The reference: what a server may do and must do for the clients of one history. It hears each packet, and keeps a trace of them and all faults.</summary>
internal sealed class HistoryModel(IServerUnderTest server)
{
    private readonly Dictionary<string, ModelMessage> _messages = [];
    private readonly Dictionary<string, int> _sequences = [];
    private readonly List<ModelClient> _clients = [];
    private readonly List<string> _trace = [];
    private readonly List<string> _faults = [];

    /// <summary>Held while anything happens.</summary>
    public Lock Sync { get; } = new();

    public bool Has(Deviations deviation) => server.Deviations.HasFlag(deviation);

    /// <summary>Counts the packets.</summary>
    public long Now { get; private set; }

    public IReadOnlyCollection<ModelMessage> Messages => _messages.Values;

    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (Sync)
            {
                return [.. _faults];
            }
        }
    }

    public IReadOnlyList<string> Trace
    {
        get
        {
            lock (Sync)
            {
                return [.. _trace];
            }
        }
    }

    /// <summary>The observer of one client.</summary>
    public ModelClient AddClient(string clientId, int protocol)
    {
        ModelClient client = new(clientId, protocol, this);
        _clients.Add(client);
        return client;
    }

    /// <summary>The server will be gone without a warning.</summary>
    public void Crashing()
    {
        using var step = Step("the server crashes");
        _clients.ForEach(client => client.ServerCrashes());
    }

    public void Mark(string what) => Step(what).Dispose();

    public void Fault(string what)
    {
        lock (Sync)
        {
            _faults.Add(what);
            _trace.Add($"      FAULT {what}");
        }
    }

    /// <summary>One moment of the model: nothing else happens until it is disposed.</summary>
    public StepScope Step(string what)
    {
        Sync.Enter();
        Now++;
        _trace.Add($"{Now,5} {what}");
        return new(Sync);
    }

    public void Publishing(string publisher, OutgoingPublish publish, bool isDuplicate)
    {
        if (isDuplicate)
        {
            _messages[publish.Payload].Sends++;
            return;
        }

        var sequence = _sequences.GetValueOrDefault(publisher);
        _sequences[publisher] = sequence + 1;
        _messages.Add(publish.Payload, new(publisher, publish, sequence, Now));
    }

    public ModelMessage? Find(string payload) => _messages.GetValueOrDefault(payload);

    /// <summary>Whether a message was stored before another of its topic for certain.</summary>
    public bool IsBefore(ModelMessage first, ModelMessage second) => first.EndedAt < second.SentAt
        || (!Has(Deviations.OrderOfEachQoS) && first.Publisher == second.Publisher && first.Sequence < second.Sequence && first.Sends == 1 && second.Sends == 1);

    /// <summary>Whether a message can be the retained one of its topic after a moment.</summary>
    public bool MayBeRetained(ModelMessage message, long since) => message.IsRetained
        && !_messages.Values.Any(other => other.IsRetained && other.Topic == message.Topic && other.EndedAt < since && IsBefore(message, other));

    /// <summary>The message that is the retained one of a topic for certain; null when nobody can tell.</summary>
    public ModelMessage? FindRetained(string topic)
    {
        var all = _messages.Values.Where(message => message.IsRetained && message.Topic == topic).ToList();
        return all.Find(last => all.TrueForAll(other => other == last || IsBefore(other, last)));
    }

    public readonly struct StepScope(Lock held) : IDisposable
    {
        public void Dispose() => held.Exit();
    }
}
