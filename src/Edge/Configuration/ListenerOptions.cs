namespace OrleansMqtt.Edge.Configuration;

/// <summary>A port that clients connect to.</summary>
public sealed class ListenerOptions
{
    /// <summary>The IP address to listen on; <c>*</c> is every address.</summary>
    public string Address { get; set; } = "*";

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; set; } = 1883;

    /// <summary>What clients may speak.</summary>
    public ListenerTransport Transport { get; set; } = ListenerTransport.Any;

    /// <summary>The certificate, which makes the port a TLS port: a PKCS #12 file, or a PEM file with <see cref="CertificateKeyPath"/>.</summary>
    public string? CertificatePath { get; set; }

    /// <summary>The PEM file of the private key; null when <see cref="CertificatePath"/> is a PKCS #12 file.</summary>
    public string? CertificateKeyPath { get; set; }

    /// <summary>The password of the certificate's private key.</summary>
    public string? CertificatePassword { get; set; }
}
