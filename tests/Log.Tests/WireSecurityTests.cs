using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log.Kafka;
using OrleansMqtt.Log.Kafka.Wire;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>A broker that is reached by TLS with a login only.</summary>
public sealed class WireSecurityTests : IAsyncLifetime, IAppendCompletion
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-tls-").FullName;
    private readonly int _port = TestPorts.Free();
    private readonly int _securePort = TestPorts.Free();
    private readonly TaskCompletionSource<AppendResult> _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private KafkaBroker _broker = null!;

    private static CancellationToken Token => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public async ValueTask InitializeAsync()
    {
        using var key = RSA.Create(2048);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(_directory, "ca.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(_directory, "broker.pem"), key.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem());
        _broker = await KafkaBroker.StartOwnAsync(_port, $"""
            listeners=PLAINTEXT://127.0.0.1:{_port},CONTROLLER://127.0.0.1:{_port + 1},SASL_SSL://localhost:{_securePort}
            advertised.listeners=PLAINTEXT://127.0.0.1:{_port},SASL_SSL://localhost:{_securePort}
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
            ssl.keystore.type=PEM
            ssl.keystore.location={Path.Combine(_directory, "broker.pem")}
            connections.max.reauth.ms=10000
            sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
            listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_device="secret";
            listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
            listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
            """);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = _broker.BootstrapServers }).Build();
        await admin.AlterUserScramCredentialsAsync([Credential(ScramMechanism.ScramSha256)]);
        await admin.AlterUserScramCredentialsAsync([Credential(ScramMechanism.ScramSha512)]);

        static UserScramCredentialUpsertion Credential(ScramMechanism mechanism) => new()
        {
            User = "device",
            ScramCredentialInfo = new() { Mechanism = mechanism, Iterations = 4096 },
            Password = "secret"u8.ToArray(),
            Salt = RandomNumberGenerator.GetBytes(16),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    void IAppendCompletion.OnAppended(long state, in AppendResult result) => _appended.TrySetResult(result);

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task Records_travel_by_TLS_after_a_login(string mechanism)
    {
        await using var services = Open(mechanism, "secret");
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new("secure", 1, IsCompacted: false)], Token);
        await using var reader = log.OpenReader("secure", 0, 0);
        log.Append("secure", new() { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes(mechanism) }, this, 0);
        Assert.True((await _appended.Task.WaitAsync(Token)).IsStored);
        Assert.Equal(mechanism, Encoding.UTF8.GetString((await reader.ReadAsync(10, Token)).Records[0].Value!.Value.Span));
    }

    [Fact]
    public async Task A_wrong_password_is_told()
    {
        using ClusterMetadata metadata = new(WireSettings.Create(Options("SCRAM-SHA-256", "wrong")), reason => _told.TrySetResult(reason), NullLogger.Instance);
        metadata.Watch("any");
        Assert.Contains("refuses the login of 'device'", await _told.Task.WaitAsync(Token), StringComparison.Ordinal);
    }

    private KafkaLogOptions Options(string mechanism, string password)
    {
        KafkaLogOptions options = new() { BootstrapServers = $"localhost:{_securePort}", Transport = KafkaTransport.Wire };
        foreach (var (name, value) in Settings(mechanism, password))
        {
            options.Client[name] = value;
        }

        return options;
    }

    private Dictionary<string, string> Settings(string mechanism, string password) => new()
    {
        ["security.protocol"] = "sasl_ssl",
        ["sasl.mechanism"] = mechanism,
        ["sasl.username"] = "device",
        ["sasl.password"] = password,
        ["ssl.ca.location"] = Path.Combine(_directory, "ca.pem"),
    };

    private ServiceProvider Open(string mechanism, string password)
    {
        Dictionary<string, string?> settings = new() { ["Kafka:BootstrapServers"] = $"localhost:{_securePort}", ["Kafka:Transport"] = "Wire" };
        foreach (var (name, value) in Settings(mechanism, password))
        {
            settings[$"Kafka:Client:{name}"] = value;
        }

        return new ServiceCollection().AddLogging().AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
    }
}
