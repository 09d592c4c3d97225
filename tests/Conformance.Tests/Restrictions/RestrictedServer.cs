using System.Net;

[assembly: AssemblyFixture(typeof(OrleansMqtt.Conformance.Tests.Restrictions.RestrictedServer))]

namespace OrleansMqtt.Conformance.Tests.Restrictions;

/// <summary>A server that is configured to do less than it can.</summary>
public sealed class RestrictedServer : IAsyncLifetime
{
    public const int KeepAlive = 30;
    private RestartableServer? _own;

    public EndPoint EndPoint => _own?.EndPoint ?? new IPEndPoint(IPAddress.Loopback, 0);

    public async ValueTask InitializeAsync()
    {
        if (ConformanceServer.IsOwn)
        {
            _own = await RestartableServer.StartAsync(
                ("Mqtt__MaximumQoS", "1"),
                ("Mqtt__RetainAvailable", "false"),
                ("Mqtt__WildcardSubscriptionsAvailable", "false"),
                ("Mqtt__SharedSubscriptionsAvailable", "false"),
                ("Mqtt__SubscriptionIdentifiersAvailable", "false"),
                ("Mqtt__TopicAliasMaximum", "0"),
                ("Mqtt__OutgoingTopicAliases", "0"),
                ("Mqtt__ResponseTopicPrefix", "answers/{clientId}/"),
                ("Mqtt__MaximumKeepAlive", $"{KeepAlive}"),
                ("Mqtt__ValidatePayloadFormat", "true"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }
}
