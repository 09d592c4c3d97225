namespace OrleansMqtt.Hosting;

/// <summary>Where health, metrics and the dashboard are served. Configuration section <c>Http</c>.</summary>
public sealed class HttpOptions
{
    /// <summary>The IP address to listen on; <c>*</c> is every address. Nobody is asked for a password there, so it is this machine alone unless set.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; set; } = 8080;

    /// <summary>Whether the dashboard is there. It times calls between grains while someone looks at it.</summary>
    public bool Dashboard { get; set; } = true;
}
