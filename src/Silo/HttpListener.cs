using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Silo;

/// <summary>Adds the port of health, metrics and dashboard to Kestrel, beside those of MQTT.</summary>
internal sealed partial class HttpListener(IOptions<HttpOptions> http, ILogger<HttpListener> logger) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options)
    {
        var (address, port) = (http.Value.Address, http.Value.Port);
        if (address == "*")
        {
            options.ListenAnyIP(port);
        }
        else
        {
            options.Listen(IPAddress.Parse(address), port);
        }

        LogListening(address, port);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Health, metrics and the dashboard on http://{Address}:{Port}: /health/live, /health/ready, /metrics, /dashboard")]
    private partial void LogListening(string address, int port);
}
