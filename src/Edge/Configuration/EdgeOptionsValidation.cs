using System.Net;
using Microsoft.Extensions.Options;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Transport;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Configuration;

/// <summary>Checks <see cref="EdgeOptions"/> at the start: one line that names the setting, its value and what is allowed.</summary>
internal sealed class EdgeOptionsValidation(IOptions<LogOptions> log) : IValidateOptions<EdgeOptions>
{
    private const int GreatestPacket = 268_435_460;

    /// <summary>Each connection that uses them has a table of this length.</summary>
    private const int MostOutgoingAliases = 1024;

    public ValidateOptionsResult Validate(string? name, EdgeOptions options)
        => (CheckRecords(options) ?? CheckLimits(options) ?? CheckUsers(options.Authentication) ?? CheckListeners(options)) is { } failure ? ValidateOptionsResult.Fail(failure) : ValidateOptionsResult.Success;

    private static string? CheckLimits(EdgeOptions options)
        => CheckTransport(options.Transport)
            ?? Range(nameof(options.MaximumPacketSize), options.MaximumPacketSize, 1024, GreatestPacket)
            ?? Range(nameof(options.ReceiveMaximum), options.ReceiveMaximum, 1, ushort.MaxValue)
            ?? Range(nameof(options.MaximumKeepAlive), options.MaximumKeepAlive, 0, ushort.MaxValue)
            ?? Range(nameof(options.MaximumQoS), options.MaximumQoS, 0, 2)
            ?? Range(nameof(options.TopicAliasMaximum), options.TopicAliasMaximum, 0, ushort.MaxValue)
            ?? Range(nameof(options.OutgoingTopicAliases), options.OutgoingTopicAliases, 0, MostOutgoingAliases)
            ?? CheckPrefix(options.ResponseTopicPrefix)
            ?? Range(nameof(options.MaximumConnections), options.MaximumConnections, 1, int.MaxValue)
            ?? Range(nameof(options.ConnectionPublishBytes), options.ConnectionPublishBytes, options.MaximumPacketSize, long.MaxValue)
            ?? Range(nameof(options.TotalPublishBytes), options.TotalPublishBytes, Math.Max(2L * options.MaximumPacketSize, options.ConnectionPublishBytes), long.MaxValue)
            ?? Range(nameof(options.DelayLimit), options.DelayLimit, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1))
            ?? Range(nameof(options.ConnectionOutboundBytes), options.ConnectionOutboundBytes, 1024, long.MaxValue)
            ?? Range(nameof(options.SysInterval), options.SysInterval, 0, 86_400)
            ?? Range(nameof(options.ConnectTimeout), options.ConnectTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1))
            ?? Range(nameof(options.ShutdownTimeout), options.ShutdownTimeout, TimeSpan.Zero, TimeSpan.FromHours(1))
            ?? CheckAdvertised(options.AdvertisedAddress)
            ?? Range(nameof(options.ShedConnectionsAbove), options.ShedConnectionsAbove, 0, int.MaxValue)
            ?? Range(nameof(options.DrainRate), options.DrainRate, 1, int.MaxValue)
            ?? Range(nameof(options.FreezeLimit), options.FreezeLimit, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));

    /// <summary>What a client may send has to be what Kafka takes.</summary>
    private string? CheckRecords(EdgeOptions options)
        => log.Value.EffectiveKind == LogKind.Kafka && options.MaximumPacketSize > log.Value.Kafka.MaximumRecordBytes
            ? Range(nameof(options.MaximumPacketSize), options.MaximumPacketSize, 1024, log.Value.Kafka.MaximumRecordBytes) + " The greatest is Log:Kafka:MaximumRecordBytes."
            : null;

    private static string? CheckTransport(EdgeTransport transport) => transport switch
    {
        EdgeTransport.Epoll when !EpollTransport.IsSupported =>
            $"{EdgeOptions.SectionName}:{nameof(EdgeOptions.Transport)} is {transport}: that runs on Linux on x64 and Arm64 only.",
        EdgeTransport.Auto or EdgeTransport.Epoll or EdgeTransport.Sockets => null,
        _ => $"{EdgeOptions.SectionName}:{nameof(EdgeOptions.Transport)} is {transport}: it must be {nameof(EdgeTransport.Auto)}, {nameof(EdgeTransport.Epoll)} or {nameof(EdgeTransport.Sockets)}.",
    };

    private static string? CheckAdvertised(string? address)
        => address is null || (address.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(address.AsSpan(colon + 1), out var port) && port > 0)
            ? null
            : $"{EdgeOptions.SectionName}:{nameof(EdgeOptions.AdvertisedAddress)} is '{address}': it must be host:port.";

    private static string? CheckUsers(AuthenticationOptions options)
    {
        const string Section = $"{EdgeOptions.SectionName}:{nameof(EdgeOptions.Authentication)}:{nameof(options.Users)}";
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Users.Count; i++)
        {
            var user = options.Users[i];
            if (user.Name.Length == 0 || !names.Add(user.Name))
            {
                return $"{Section}:{i}:{nameof(user.Name)} is '{user.Name}': each user must have a name, and no other user the same.";
            }

            if (PasswordVerifier.TryParse(user.Password) is null)
            {
                // What stands there may be a password, which belongs into no log.
                return $"{Section}:{i}:{nameof(user.Password)} of user '{user.Name}' is not valid: it must be what the command hash-password prints.";
            }
        }

        return null;
    }

    private static string? CheckPrefix(string? prefix)
        => prefix is null || (prefix.Length > 0 && prefix.AsSpan().IndexOfAny('+', '#', '\0') < 0)
            ? null
            : $"{EdgeOptions.SectionName}:{nameof(EdgeOptions.ResponseTopicPrefix)} is '{prefix}': it must be the beginning of a topic name, without wildcards.";

    private static string? CheckListeners(EdgeOptions options)
    {
        for (var i = 0; i < options.Listeners.Count; i++)
        {
            var listener = options.Listeners[i];
            var failure = Range($"Listeners:{i}:{nameof(listener.Port)}", listener.Port, 0, 65535)
                ?? CheckAddress(i, listener.Address)
                ?? CheckFile($"Listeners:{i}:{nameof(listener.CertificatePath)}", listener.CertificatePath)
                ?? CheckFile($"Listeners:{i}:{nameof(listener.CertificateKeyPath)}", listener.CertificateKeyPath);
            if (failure is null && listener.CertificatePath is null && (listener.CertificateKeyPath ?? listener.CertificatePassword) is not null)
            {
                failure = $"{EdgeOptions.SectionName}:Listeners:{i}:{nameof(listener.CertificatePath)} is not set: a key or password needs the path of a certificate.";
            }

            if (failure is not null)
            {
                return failure;
            }
        }

        return null;
    }

    private static string? CheckAddress(int index, string address)
        => address == "*" || IPAddress.TryParse(address, out _)
            ? null
            : $"{EdgeOptions.SectionName}:Listeners:{index}:{nameof(ListenerOptions.Address)} is '{address}': it must be an IP address, or * for every address.";

    private static string? CheckFile(string setting, string? path)
        => path is null || File.Exists(path) ? null : $"{EdgeOptions.SectionName}:{setting} is '{path}': it must be a file that exists.";

    private static string? Range<T>(string setting, T value, T least, T greatest)
        where T : IComparable<T>
        => value.CompareTo(least) >= 0 && value.CompareTo(greatest) <= 0
            ? null
            : $"{EdgeOptions.SectionName}:{setting} is {value}: it must be from {least} to {greatest}.";
}
