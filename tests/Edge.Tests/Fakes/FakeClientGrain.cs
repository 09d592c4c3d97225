using System.Collections.Concurrent;
using OrleansMqtt.Edge;

namespace OrleansMqtt.Edge.Tests;

internal sealed class FakeClientGrain(FakeGrains grains, string clientId, int slot) : IClientSessionGrain
{
    private long _epoch;
    private int _packetId;

    public int Slot => slot;

    /// <summary>Of the living connection.</summary>
    public ConnectionEpoch Epoch { get; private set; }

    /// <summary>The identifiers of QoS 2 messages that were not released.</summary>
    public HashSet<ushort> Received { get; } = [];

    public long? ConnectionId { get; private set; }

    public ConcurrentDictionary<string, byte> Subscriptions { get; } = new();

    public ConnectRequest? LastConnect { get; private set; }

    public ushort NextPacketId() => (ushort)Interlocked.Increment(ref _packetId);

    public async ValueTask<ConnectResult> Connect(ConnectRequest request)
    {
        await Task.Yield();
        if (grains.Failure is { } failure)
        {
            throw failure;
        }

        if (ConnectionId is { } previous && previous != request.ConnectionId && grains.Context.Connections.Find(previous) is { } connection)
        {
            await connection.CloseTakenOverAsync();
        }

        LastConnect = request;
        ConnectionId = request.ConnectionId;
        var kept = grains.SessionPresent ? Subscriptions.Where(each => each.Key.StartsWith("$SYS/", StringComparison.Ordinal)).ToArray() : [];
        Subscriptions.Clear();
        var (epoch, gate) = (new ConnectionEpoch(grains.Generation, ++_epoch), grains.ConnectGate);
        Epoch = epoch;
        grains.Record($"connect {clientId}");
        await (gate?.Task ?? Task.CompletedTask);

        return new ConnectResult(epoch, grains.SessionPresent, 0, slot, grains.GrantedExpiry ?? request.SessionExpirySeconds)
        {
            SystemSubscriptions = kept.Length == 0 ? null : Array.ConvertAll(kept, each => new Subscription { Filter = each.Key, MaximumQoS = each.Value }),
        };
    }

    public async ValueTask<SubscribeResult> Subscribe(ConnectionEpoch epoch, Subscription[] subscriptions)
    {
        grains.Record($"subscribe {string.Join(' ', subscriptions.Select(each => $"{each.Filter}:{each.MaximumQoS}"))}");
        if (grains.SubscribeGate is { } gate)
        {
            await gate.Task;
        }

        if (grains.Failure is { } failure)
        {
            throw failure;
        }

        if (epoch.Counter != _epoch)
        {
            return new SubscribeResult(null);
        }

        foreach (var subscription in subscriptions)
        {
            Subscriptions[subscription.Filter] = subscription.MaximumQoS;
        }

        return new SubscribeResult(Array.ConvertAll(subscriptions, subscription => grains.SubscribeCode ?? subscription.MaximumQoS));
    }

    public async ValueTask<UnsubscribeResult> Unsubscribe(ConnectionEpoch epoch, string[] filters)
    {
        await Task.Yield();
        grains.Record($"unsubscribe {string.Join(' ', filters)}");
        return new UnsubscribeResult(Array.ConvertAll(filters, filter => Subscriptions.TryRemove(filter, out _)));
    }

    public async ValueTask Disconnect(ConnectionEpoch epoch, DisconnectNotice notice)
    {
        await Task.Yield();
        if (grains.Failure is { } failure)
        {
            grains.Record($"failed disconnect {clientId}");
            throw failure;
        }

        grains.Record($"disconnect {clientId} {notice.Cause}{(notice.SessionExpirySeconds is { } expiry ? $" {expiry}" : "")}");
    }

    public async ValueTask Abandon(Orleans.Runtime.SiloAddress edge, long connectionId)
    {
        await Task.Yield();
        if (grains.Failure is { } failure)
        {
            grains.Record($"failed abandon {clientId}");
            throw failure;
        }

        grains.Record($"abandon {clientId}");
    }

    /// <summary>Makes the living connection's epoch an old one.</summary>
    public void Supersede() => Epoch = new(Epoch.Generation, ++_epoch);
}
