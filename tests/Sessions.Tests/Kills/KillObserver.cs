using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>Writes what happens to one client of the load into the ledger.</summary>
internal sealed class KillObserver(string clientId, KillLedger ledger) : SessionObserver
{
    private bool _hasSession;

    public override void Connected(bool sessionPresent)
    {
        if (_hasSession && !sessionPresent)
        {
            ledger.OnLostSession();
        }

        _hasSession = true;
    }

    public override void Taken(OutgoingPublish publish) => ledger.OnAcknowledged();

    public override void Acknowledged(OutgoingPublish publish)
    {
        if (publish.QoS == 1)
        {
            ledger.OnAcknowledged();
        }
    }

    public override void Forgotten(OutgoingPublish publish) => ledger.OnForgotten(publish.Payload);

    public override void Received(IncomingPublish publish)
    {
        if (!publish.IsNew)
        {
            return;
        }

        if (publish.Topic.Contains("/will/", StringComparison.Ordinal))
        {
            ledger.OnWill(publish.Payload);
        }
        else
        {
            ledger.OnReceived(clientId, publish, clientId);
        }
    }

    public override void Violated(string what) => ledger.Violations.Enqueue($"{clientId}: {what}");
}
