namespace OrleansMqtt.Faults;

/// <summary>Writes what happens to a client with a session that lasts into the ledger, and when it was served.</summary>
internal sealed class LoadObserver(string clientId, KillLedger ledger, ServiceGauge gauge) : SessionObserver
{
    private bool _hasSession;

    public override void Connected(bool sessionPresent)
    {
        if (_hasSession && !sessionPresent)
        {
            ledger.OnLostSession();
            ledger.Notes.Enqueue($"{clientId}: its session is gone");
        }

        _hasSession = true;
    }

    public override void Disconnected(string? reason)
    {
        if (reason is not null)
        {
            gauge.Close();
        }
    }

    public override void Taken(OutgoingPublish publish) => Acknowledge();

    public override void Acknowledged(OutgoingPublish publish)
    {
        if (publish.QoS == 1)
        {
            Acknowledge();
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
            return;
        }

        ledger.OnReceived(clientId, publish, clientId);
        gauge.Serve();
    }

    public override void Violated(string what) => ledger.Violations.Enqueue($"{clientId}: {what}");

    private void Acknowledge()
    {
        ledger.OnAcknowledged();
        gauge.Serve();
    }
}
