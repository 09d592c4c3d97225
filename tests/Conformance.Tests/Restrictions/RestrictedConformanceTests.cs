namespace OrleansMqtt.Conformance.Tests.Restrictions;

/// <summary>Tests on the server that does less than it can.</summary>
public abstract class RestrictedConformanceTests : ConformanceTests
{
    protected RestrictedConformanceTests(RestrictedServer server)
        : base(server.EndPoint) => ConformanceServer.RequireOwn();
}
