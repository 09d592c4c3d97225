namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>What tests need whose server has a clock that they set: to the millisecond, and for years.</summary>
public abstract class ClockTests : ConformanceTests, IAsyncLifetime
{
    protected const uint Never = uint.MaxValue;
    protected static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    protected static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    protected static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);
    private static readonly SemaphoreSlim Places = new(2);

    protected ClockTests(params string[] settings)
        : this(new ClockServer(settings))
    {
    }

    private ClockTests(ClockServer server)
        : base(server.EndPoint)
    {
        Server = server;
    }

    private protected ClockServer Server { get; }

    public async ValueTask InitializeAsync()
    {
        ConformanceServer.RequireOwn();
        await Places.WaitAsync();
        try
        {
            await Server.StartAsync();
        }
        catch
        {
            Places.Release();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Dispose();
        try
        {
            await Server.DisposeAsync();
        }
        finally
        {
            Places.Release();
        }

        GC.SuppressFinalize(this);
    }

    private protected void Pass(TimeSpan time) => Server.Clock.Pass(time);

    /// <summary>Leaves with DISCONNECT, which the server answers when the session has its time. The will stays.</summary>
    private protected async Task LeaveAsync(Connect connect, PropertyList? properties = null) => await (await ConnectAsync(connect)).DisconnectAsync(0x04, properties);

    private protected async Task<bool> IsPresentAsync(Connect connect) => (await ConnectAsync(connect with { Will = null })).ConnAck.IsSessionPresent;
}
