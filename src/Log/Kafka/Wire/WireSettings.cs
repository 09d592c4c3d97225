using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>What the wire client knows of the settings of Kafka clients; anything else is for the Confluent client.</summary>
internal sealed class WireSettings
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "client.id", "security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password", "ssl.ca.location", "ssl.certificate.location",
        "ssl.key.location", "ssl.key.password", "ssl.endpoint.identification.algorithm", "enable.ssl.certificate.verification", "socket.timeout.ms",
    };

    private WireSettings(KafkaLogOptions options, Func<string, string, string> get)
    {
        Bootstrap = BrokerAddress.ParseList(options.BootstrapServers);
        Linger = TimeSpan.FromMilliseconds(options.LingerMilliseconds);
        ClientId = get("client.id", "orleansmqtt");
        RequestTimeout = TimeSpan.FromMilliseconds(int.Parse(get("socket.timeout.ms", "30000"), NumberStyles.None, CultureInfo.InvariantCulture));

        // A request that a broker may hold back for the whole time has a little more to come back.
        AnswerLimit = RequestTimeout + TimeSpan.FromSeconds(2);
        var protocol = get("security.protocol", "plaintext").ToUpperInvariant();
        UsesTls = protocol is "SSL" or "SASL_SSL";
        SaslMechanism = protocol.StartsWith("SASL", StringComparison.Ordinal) ? get("sasl.mechanism", get("sasl.mechanisms", "")).ToUpperInvariant() : null;
        (UserName, Password) = (get("sasl.username", ""), get("sasl.password", ""));
        VerifiesCertificate = !get("enable.ssl.certificate.verification", "true").Equals("false", StringComparison.OrdinalIgnoreCase);
        VerifiesHost = !get("ssl.endpoint.identification.algorithm", "https").Equals("none", StringComparison.OrdinalIgnoreCase);
        if (UsesTls && get("ssl.ca.location", "") is { Length: > 0 } authorities)
        {
            Authorities = [];
            Authorities.ImportFromPemFile(authorities);
        }

        if (UsesTls && get("ssl.certificate.location", "") is { Length: > 0 } certificate)
        {
            var key = get("ssl.key.location", certificate);
            ClientCertificate = get("ssl.key.password", "") is { Length: > 0 } password
                ? X509Certificate2.CreateFromEncryptedPemFile(certificate, password, key)
                : X509Certificate2.CreateFromPemFile(certificate, key);
        }
    }

    public BrokerAddress[] Bootstrap { get; }

    public TimeSpan Linger { get; }

    public string ClientId { get; }

    public TimeSpan RequestTimeout { get; }

    /// <summary>How long a broker may take to answer.</summary>
    public TimeSpan AnswerLimit { get; private set; }

    public bool UsesTls { get; }

    /// <summary><c>PLAIN</c>, <c>SCRAM-SHA-256</c> or <c>SCRAM-SHA-512</c>; null without SASL.</summary>
    public string? SaslMechanism { get; }

    public string UserName { get; }

    public string Password { get; }

    public bool VerifiesCertificate { get; }

    public bool VerifiesHost { get; }

    public X509Certificate2Collection? Authorities { get; }

    public X509Certificate2? ClientCertificate { get; }

    /// <summary>The first setting that the wire client does not know, as <c>Client:name</c>; null when it knows them all.</summary>
    public static string? FindUnknown(KafkaLogOptions options)
    {
        foreach (var (section, settings) in new[] { ("Client", options.Client), ("Producer", options.Producer), ("Consumer", options.Consumer) })
        {
            foreach (var (name, value) in settings)
            {
                // Settings of one kind of client would have to differ between the two.
                if (section != "Client" || !Known.Contains(name) || !IsKnownValue(name, value))
                {
                    return $"{section}:{name}";
                }
            }
        }

        return options.Client.TryGetValue("security.protocol", out var protocol) && protocol.StartsWith("sasl", StringComparison.OrdinalIgnoreCase)
            && !options.Client.ContainsKey("sasl.mechanism") && !options.Client.ContainsKey("sasl.mechanisms")
            ? "Client:security.protocol"
            : null;
    }

    /// <exception cref="LogConfigurationException">A file cannot be read.</exception>
    public static WireSettings Create(KafkaLogOptions options)
    {
        try
        {
            return new(options, (name, otherwise) => options.Client.GetValueOrDefault(name) is { Length: > 0 } value ? value : otherwise);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new LogConfigurationException($"Log:Kafka:Client has a certificate or key that cannot be read: {exception.Message}");
        }
    }

    /// <summary>The same settings for requests that are answered at once, or not at all.</summary>
    public WireSettings With(TimeSpan answerLimit)
    {
        var copy = (WireSettings)MemberwiseClone();
        copy.AnswerLimit = answerLimit < AnswerLimit ? answerLimit : AnswerLimit;
        return copy;
    }

    private static bool IsKnownValue(string name, string value) => name switch
    {
        "security.protocol" => value.ToUpperInvariant() is "PLAINTEXT" or "SSL" or "SASL_PLAINTEXT" or "SASL_SSL",
        "sasl.mechanism" or "sasl.mechanisms" => value.ToUpperInvariant() is "PLAIN" or "SCRAM-SHA-256" or "SCRAM-SHA-512",
        "ssl.ca.location" or "ssl.certificate.location" or "ssl.key.location" => File.Exists(value),
        "socket.timeout.ms" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds >= 1_000,
        _ => true,
    };
}
