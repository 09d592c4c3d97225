using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Transport;
using OrleansMqtt.Hosting;

namespace OrleansMqtt.Edge.Listeners;

/// <summary>Makes Kestrel listen on the configured ports.</summary>
internal sealed class EdgeListeners(IOptions<EdgeOptions> options, IServiceProvider services, ILogger<EdgeListeners> logger) : IConfigureOptions<KestrelServerOptions>
{
    private readonly List<(ListenOptions Kestrel, ListenerOptions Listener)> _listeners = [];

    /// <summary>Where clients connect; a port that was 0 is the one that was taken.</summary>
    public IEnumerable<EndPoint> EndPoints => _listeners.Select(static listener => listener.Kestrel.EndPoint!);

    /// <summary>Whether the port is one where clients connect, and the server's own transport carries them.</summary>
    public bool UsesEpoll(EndPoint endPoint)
        => (options.Value.Transport == EdgeTransport.Epoll || (options.Value.Transport == EdgeTransport.Auto && EpollTransport.IsSupported))
            && _listeners.Exists(listener => ReferenceEquals(listener.Kestrel.EndPoint, endPoint));

    public void Configure(KestrelServerOptions kestrel)
    {
        foreach (var listener in options.Value.Listeners)
        {
            kestrel.Listen(listener.Address, listener.Port, endPoint => Configure(endPoint, listener));
        }
    }

    /// <summary>Ends the start before anything else has begun if a port can't be had.</summary>
    public void ThrowIfTaken()
    {
        foreach (var (index, listener) in options.Value.Listeners.Index())
        {
            ListeningPort.ThrowIfTaken($"{EdgeOptions.SectionName}:{nameof(EdgeOptions.Listeners)}:{index}", listener.Address, listener.Port);
        }
    }

    /// <summary>One line for each listener, once they listen.</summary>
    public void LogListening()
    {
        foreach (var (kestrel, listener) in _listeners)
        {
            var protocols = listener.Transport switch
            {
                ListenerTransport.Tcp => "MQTT",
                ListenerTransport.WebSocket => "MQTT over WebSocket",
                _ => "MQTT and MQTT over WebSocket",
            };
            logger.Listening(listener.CertificatePath is null ? protocols : $"{protocols} with TLS", kestrel.EndPoint?.ToString() ?? "");
        }
    }

    private void Configure(ListenOptions endPoint, ListenerOptions listener)
    {
        _listeners.Add((endPoint, listener));
        if (listener.CertificatePath is not null)
        {
            endPoint.UseHttps(LoadCertificate(listener));
        }

        var handler = services.GetRequiredService<MqttConnectionHandler>();
        endPoint.Use(_ => connection => handler.OnConnectedAsync(connection, listener.Transport));
    }

    private static X509Certificate2 LoadCertificate(ListenerOptions listener)
    {
        try
        {
            if (listener.CertificateKeyPath is null)
            {
                return X509CertificateLoader.LoadPkcs12FromFile(listener.CertificatePath!, listener.CertificatePassword);
            }

            return listener.CertificatePassword is null
                ? X509Certificate2.CreateFromPemFile(listener.CertificatePath!, listener.CertificateKeyPath)
                : X509Certificate2.CreateFromEncryptedPemFile(listener.CertificatePath!, listener.CertificatePassword, listener.CertificateKeyPath);
        }
        catch (CryptographicException exception)
        {
            throw new OptionsValidationException(
                EdgeOptions.SectionName, typeof(EdgeOptions), [$"{EdgeOptions.SectionName}:Listeners: the certificate '{listener.CertificatePath}' cannot be loaded: {exception.Message}"]);
        }
    }
}
