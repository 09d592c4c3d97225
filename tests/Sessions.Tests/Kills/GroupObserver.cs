using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>Writes what a member of a shared subscription receives into the ledger, as the group's.</summary>
internal sealed class GroupObserver(string clientId, string group, KillLedger ledger, bool isDurable) : SessionObserver
{
    private bool _hasSession;

    public override void Connected(bool sessionPresent)
    {
        if (_hasSession && !sessionPresent && isDurable)
        {
            ledger.OnLostSession();
        }

        _hasSession = true;
    }

    public override void Received(IncomingPublish publish)
    {
        if (publish.IsNew)
        {
            ledger.OnReceived(group, publish, clientId);
        }
    }

    public override void Violated(string what) => ledger.Violations.Enqueue($"{clientId}: {what}");
}
