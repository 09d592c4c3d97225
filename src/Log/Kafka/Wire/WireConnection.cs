using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// A connection to a broker that one thread uses: one request on the way at a time, sent and answered by blocking calls, because each user has a thread that waits for nothing else
/// [no way through the thread pool, no completion objects]. Buffers are kept: a response is valid until the next request.
/// </summary>
internal sealed class WireConnection : IDisposable
{
    private const int MaximumResponse = 256 << 20;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private readonly WireSettings _settings;
    private readonly Socket _socket;
    private readonly WireWriter _writer = new();
    private Stream _stream = Stream.Null;
    private byte[] _response = new byte[16 * 1024];
    private readonly Dictionary<short, (short Least, short Greatest)> _versions = [];
    private int _correlationId;
    private bool _isFlexible;
    private long _expiresAt = long.MaxValue;
    private volatile bool _isClosed;

    private WireConnection(WireSettings settings, BrokerAddress address, Socket socket) => (_settings, Address, _socket) = (settings, address, socket);

    public BrokerAddress Address { get; }

    /// <summary>Whether the login ends soon (KIP-368): a new connection is needed.</summary>
    public bool IsExpired => Environment.TickCount64 >= _expiresAt;

    /// <summary>Whether it was ended on this side.</summary>
    public bool IsClosed => _isClosed;

    /// <param name="settings">The settings.</param>
    /// <param name="address">The broker.</param>
    /// <param name="onOpening">Told of the connection before anything blocks, so that it can be ended from outside.</param>
    public static WireConnection Open(WireSettings settings, BrokerAddress address, Action<WireConnection>? onOpening = null)
    {
        Exception? failure = null;
        var connectLimit = settings.AnswerLimit < ConnectTimeout ? settings.AnswerLimit : ConnectTimeout;
        try
        {
            foreach (var ip in Dns.GetHostAddresses(address.Host))
            {
                Socket socket = new(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendTimeout = (int)connectLimit.TotalMilliseconds };
                WireConnection connection = new(settings, address, socket);
                try
                {
                    onOpening?.Invoke(connection);
                    socket.Connect(new IPEndPoint(ip, address.Port));
                    connection.Begin();
                    return connection;
                }
                catch (Exception exception) when (IsFailure(exception))
                {
                    connection.Dispose();
                    failure = exception;
                }
            }
        }
        catch (SocketException exception)
        {
            failure = exception;
        }

        throw new WireException($"{address}: {failure?.Message ?? "the name has no address"}");
    }

    /// <summary>Whether a connection broke, as opposed to a fault of the program.</summary>
    public static bool IsFailure(Exception exception) =>
        exception is IOException or SocketException or WireException or AuthenticationException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Whether the broker knows a request that not all do.</summary>
    public bool Knows(WireApi api) => _versions.TryGetValue(api.Key, out var range) && api.Version >= range.Least && api.Version <= range.Greatest;

    /// <summary>Begins a request; its body is written to what is returned.</summary>
    public WireWriter Start(WireApi api)
    {
        _isFlexible = api.IsFlexible;
        _writer.Start(api, ++_correlationId, _settings.ClientId);
        return _writer;
    }

    public void Send() => _stream.Write(_writer.Frame);

    /// <summary>Waits some time for an answer to begin.</summary>
    public bool Poll(TimeSpan limit) => _socket.Poll(limit, SelectMode.SelectRead);

    /// <summary>Waits for the answer.</summary>
    public WireReader Receive()
    {
        var length = _stream.ReadAtLeast(_response, sizeof(int));
        var size = BinaryPrimitives.ReadInt32BigEndian(_response);
        if (size is < sizeof(int) or > MaximumResponse)
        {
            throw new WireException($"{Address} answered with {size} bytes, which is no answer of Kafka.");
        }

        var end = size + sizeof(int);
        if (end > _response.Length)
        {
            Array.Resize(ref _response, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)end));
        }

        if (length > end)
        {
            throw new WireException($"{Address} sent more than one answer.");
        }

        _stream.ReadExactly(_response, length, end - length);
        var correlationId = BinaryPrimitives.ReadInt32BigEndian(_response.AsSpan(sizeof(int)));
        if (correlationId != _correlationId)
        {
            throw new WireException($"{Address} answered another request.");
        }

        WireReader reader = new(_response.AsSpan(2 * sizeof(int), size - sizeof(int)));
        if (_isFlexible)
        {
            reader.SkipTags();
        }

        return reader;
    }

    public WireReader SendAndReceive()
    {
        Send();
        return Receive();
    }

    /// <summary>Ends it; who waits for an answer is told by an exception. May be called by any thread.</summary>
    public void Dispose()
    {
        _isClosed = true;
        _socket.Dispose();
        _stream.Dispose();
    }

    private void Begin()
    {
        _socket.SendTimeout = _socket.ReceiveTimeout = (int)_settings.AnswerLimit.TotalMilliseconds;
        _stream = new NetworkStream(_socket, ownsSocket: false);
        if (_settings.UsesTls)
        {
            _stream = Encrypt(_stream);
        }

        CheckVersions();
        if (_settings.SaslMechanism is { } mechanism)
        {
            Authenticate(mechanism);
        }
    }

    private SslStream Encrypt(Stream stream)
    {
        SslStream encrypted = new(stream);
        SslClientAuthenticationOptions options = new() { TargetHost = Address.Host, CertificateRevocationCheckMode = X509RevocationMode.NoCheck };
        if (_settings.Authorities is { } authorities)
        {
            options.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        if (_settings.ClientCertificate is { } certificate)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null);
        }

        if (!_settings.VerifiesCertificate || !_settings.VerifiesHost)
        {
            var passedOver = _settings.VerifiesCertificate ? SslPolicyErrors.RemoteCertificateNameMismatch : (SslPolicyErrors)~0;
            options.RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~passedOver) == SslPolicyErrors.None;
        }

        encrypted.AuthenticateAsClient(options);
        return encrypted;
    }

    private void CheckVersions()
    {
        Start(WireApi.ApiVersions);
        var reader = SendAndReceive();
        if (reader.ReadInt16() is var error and not WireError.None)
        {
            throw new WireException($"{Address} refuses the client: {WireError.NameOf(error)}");
        }

        for (var count = reader.ReadCount(); count > 0; count--)
        {
            _versions[reader.ReadInt16()] = (reader.ReadInt16(), reader.ReadInt16());
        }

        foreach (var api in WireApi.Required)
        {
            if (!Knows(api))
            {
                throw new WireException($"{Address} does not know {api.Name} in version {api.Version}: set Log:Kafka:Transport to Confluent");
            }
        }
    }

    private void Authenticate(string mechanism)
    {
        Start(WireApi.SaslHandshake).WriteString(mechanism);
        var reader = SendAndReceive();
        if (reader.ReadInt16() != WireError.None)
        {
            List<string> offered = [];
            for (var count = reader.ReadCount(); count > 0; count--)
            {
                offered.Add(reader.ReadString());
            }

            throw new WireException($"{Address} does not offer {mechanism}, but {string.Join(", ", offered)}");
        }

        if (mechanism == "PLAIN")
        {
            Exchange(Encoding.UTF8.GetBytes($"\0{_settings.UserName}\0{_settings.Password}"));
            return;
        }

        var hash = mechanism == "SCRAM-SHA-512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
        ScramClient client = new(hash, _settings.UserName, _settings.Password, ScramClient.CreateNonce());
        client.Verify(Exchange(client.Final(Exchange(client.First()))));
    }

    private ReadOnlySpan<byte> Exchange(byte[] token)
    {
        Start(WireApi.SaslAuthenticate).WriteBytes(token);
        var reader = SendAndReceive();
        var error = reader.ReadInt16();
        var message = reader.ReadString();
        var answer = reader.ReadBytes();
        if (error != WireError.None)
        {
            throw new WireException($"{Address} refuses the login of '{_settings.UserName}': {(message.Length > 0 ? message : WireError.NameOf(error))}");
        }

        if (reader.ReadInt64() is > 0 and var lifetime)
        {
            _expiresAt = Environment.TickCount64 + (lifetime * 4 / 5);
        }

        return answer;
    }
}
