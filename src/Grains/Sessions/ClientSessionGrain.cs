using Microsoft.Extensions.Logging;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

[PartitionPlacement, CollectionAgeLimit(Minutes = 2)]
internal sealed partial class ClientSessionGrain(SessionPartitions partitions, EdgeServices edges, ILogger<ClientSessionGrain> logger) : Grain, IClientSessionGrain
{
    private string _clientId = null!;
    private ISessionPartitionGrain _partition = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _clientId = this.GetPrimaryKeyString();
        _partition = GrainFactory.GetGrain<ISessionPartitionGrain>(partitions.Of(_clientId).Partition);
        return Task.CompletedTask;
    }

    public async ValueTask<ConnectResult> Connect(ConnectRequest request)
    {
        var attached = await _partition.Attach(_clientId, request);
        if (attached.PreviousEdge is { } edge)
        {
            await CloseTakenOver(edge, attached.PreviousConnectionId);
        }

        return attached.Connect;
    }

    public ValueTask<SubscribeResult> Subscribe(ConnectionEpoch epoch, Subscription[] subscriptions) => _partition.Subscribe(_clientId, epoch, subscriptions);

    public ValueTask<UnsubscribeResult> Unsubscribe(ConnectionEpoch epoch, string[] filters) => _partition.Unsubscribe(_clientId, epoch, filters);

    public ValueTask Disconnect(ConnectionEpoch epoch, DisconnectNotice notice) => _partition.Detach(_clientId, epoch);

    private async Task CloseTakenOver(SiloAddress edge, long connectionId)
    {
        // What the earlier connection has published must be on the log before the new one may publish; a dead edge publishes nothing any more.
        while (!edges.IsDead(edge))
        {
            try
            {
                await edges.Of(edge).CloseTakenOver(connectionId);
                return;
            }
            catch (Exception exception)
            {
                LogCloseFailed(exception, edge, _clientId);
                await Task.Delay(100);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edge {Edge} did not close the earlier connection of client {ClientId}; it is asked again")]
    private partial void LogCloseFailed(Exception exception, SiloAddress edge, string clientId);
}
