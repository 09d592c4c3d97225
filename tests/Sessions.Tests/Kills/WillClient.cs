using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.Sessions.Tests.Clients;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>A client that has another will in each round.</summary>
internal sealed class WillClient(string prefix, int number, WillEnd end) : IDisposable
{
    private readonly SessionClient _client = new($"{prefix}-w{number}", number % 2 == 0 ? 5 : 4, new NoObserver());

    public WillEnd End => end;

    /// <summary>The will of the round.</summary>
    public string Payload { get; private set; } = "";

    /// <summary>CONNACK came in this round.</summary>
    public bool IsAccepted { get; private set; }

    public async Task ConnectAsync(int port, int round)
    {
        IsAccepted = false;
        Payload = $"will-{number}-{round}";
        var isPersistent = number % 3 > 0;
        try
        {
            await _client.ConnectAsync(
                port, cleanStart: !isPersistent, isPersistent ? 3600 : null, will: new($"{prefix}/will/{number}", Payload, 2, isPersistent && number % 4 == 0 ? 1u : 0));
            IsAccepted = true;
        }
        catch (IOException) when (end == WillEnd.Racing)
        {
            // The server was gone first.
        }
    }

    public async Task EndBeforeAsync()
    {
        if (end == WillEnd.Disconnected)
        {
            await _client.DisconnectAsync();
        }
        else if (end == WillEnd.Dropped)
        {
            _client.Drop(isReset: number % 2 == 0);
        }
    }

    public void Drop() => _client.Drop(isReset: false);

    public void Dispose() => _client.Dispose();

    private sealed class NoObserver : SessionObserver;
}
