using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>How processes find each other, and what this one does. Configuration section <c>Cluster</c>.</summary>
internal sealed class ClusterOptions
{
    private const int MaximumNameLength = 150;

    private ClusterOptions(IConfigurationSection section, ServerProgram program)
    {
        CheckNames(section);
        Roles = ReadRoles(section, program.Roles);
        ClusterId = ReadName(section, nameof(ClusterId));
        ServiceId = ReadName(section, nameof(ServiceId));
        SiloPort = ReadPort(section);
        AdvertisedAddress = ReadAddress(section);
        HandOverTimeout = ReadHandOverTimeout(section);
        PrimarySilo = ReadPrimarySilo(section);
        Database = ClusterDatabase.From(section);
        if (Database is not null && PrimarySilo is not null)
        {
            throw Wrong(section, nameof(PrimarySilo), "without Cluster:Database only: the database tells who is in the cluster");
        }

        if (Roles == ClusterRoles.Edge && IsAlone)
        {
            throw new LogConfigurationException("Cluster:Roles is 'edge', alone: set Cluster:Database or Cluster:PrimarySilo, where it finds the silos.");
        }
    }

    /// <summary>What this process does.</summary>
    public ClusterRoles Roles { get; }

    /// <summary>The database with the list of members; null without one.</summary>
    public ClusterDatabase? Database { get; }

    /// <summary>The process that keeps the list of members in its memory, for development; null without one.</summary>
    public IPEndPoint? PrimarySilo { get; }

    /// <summary>The cluster: processes with the same one find each other.</summary>
    public string ClusterId { get; }

    /// <summary>The service, over all clusters that it ever had.</summary>
    public string ServiceId { get; }

    /// <summary>The port for the other processes; 0 takes a free one.</summary>
    public int SiloPort { get; }

    /// <summary>Where the others reach this process; null takes the machine's address.</summary>
    public IPAddress? AdvertisedAddress { get; }

    /// <summary>How long the end of this process waits at most until its partitions are handed over.</summary>
    public TimeSpan HandOverTimeout { get; }

    /// <summary>Whether there can be no other process.</summary>
    public bool IsAlone => Database is null && PrimarySilo is null;

    /// <summary>Reads the section, or fails with a line that names the setting.</summary>
    public static ClusterOptions From(IConfiguration configuration, ServerProgram program)
    {
        ClusterOptions options = new(configuration.GetSection("Cluster"), program);
        if (!options.IsAlone && (configuration.GetSection("Log").Get<LogOptions>() ?? new()).EffectiveKind == LogKind.Embedded)
        {
            var setting = options.Database is null ? "Cluster:PrimarySilo" : "Cluster:Database";
            throw new LogConfigurationException($"Log:Kind is Embedded: with {setting} it must be Kafka (Log:Kafka:BootstrapServers), because the embedded log is for one process.");
        }

        return options;
    }

    private static void CheckNames(IConfigurationSection section)
    {
        string[] names =
        [
            nameof(Roles), nameof(ClusterId), nameof(ServiceId), nameof(SiloPort), nameof(AdvertisedAddress), nameof(HandOverTimeout), nameof(PrimarySilo), nameof(Database),
            nameof(ClusterDatabase.ConnectionString),
        ];
        if (section.GetChildren().FirstOrDefault(setting => !names.Contains(setting.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new LogConfigurationException($"There is no setting '{unknown.Key}' beside those of Cluster: docs/configuration.md lists all.");
        }
    }

    private static ClusterRoles ReadRoles(IConfigurationSection section, ClusterRoles allowed)
    {
        var roles = section.GetSection(nameof(Roles));
        var names = roles.Value is { } value ? value.Split(',', StringSplitOptions.TrimEntries) : [.. roles.GetChildren().Select(child => child.Value ?? "")];
        var result = names.Length == 0 ? allowed : ClusterRoles.None;
        foreach (var name in names)
        {
            var role = name.ToUpperInvariant() switch
            {
                "SILO" => ClusterRoles.Silo,
                "EDGE" => ClusterRoles.Edge,
                _ => ClusterRoles.None,
            };
            if ((role & allowed) == ClusterRoles.None)
            {
                var choice = allowed.HasFlag(ClusterRoles.Silo) ? "silo, edge or silo,edge" : "edge in this program";
                throw new LogConfigurationException($"Cluster:Roles is '{string.Join(',', names)}': it must be {choice}.");
            }

            result |= role;
        }

        return result;
    }

    private static string ReadName(IConfigurationSection section, string setting)
    {
        var name = section[setting] ?? "orleansmqtt";
        return name.Length is > 0 and <= MaximumNameLength ? name : throw Wrong(section, setting, $"1 to {MaximumNameLength} characters");
    }

    private static int ReadPort(IConfigurationSection section) => section[nameof(SiloPort)] switch
    {
        null => 0,
        var text when ushort.TryParse(text, out var port) => port,
        var text => throw new LogConfigurationException($"Cluster:SiloPort is {text}: it must be 0 (a free port) to 65535."),
    };

    private static TimeSpan ReadHandOverTimeout(IConfigurationSection section) => section[nameof(HandOverTimeout)] switch
    {
        null => TimeSpan.FromSeconds(30),
        var text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) && timeout >= TimeSpan.Zero && timeout <= TimeSpan.FromHours(1) => timeout,
        _ => throw Wrong(section, nameof(HandOverTimeout), "00:00:00 to 01:00:00"),
    };

    private static IPAddress? ReadAddress(IConfigurationSection section) => section[nameof(AdvertisedAddress)] is { Length: > 0 } text
        ? Resolve(text) is { } address && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
            ? address
            : throw Wrong(section, nameof(AdvertisedAddress), "an IP address of this machine, or a host name that resolves to one")
        : null;

    private static IPEndPoint? ReadPrimarySilo(IConfigurationSection section)
    {
        if (section[nameof(PrimarySilo)] is not { Length: > 0 } text)
        {
            return null;
        }

        var colon = text.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), out var port) && port > 0 && Resolve(text[..colon].Trim('[', ']')) is { } address
            ? new(address, port)
            : throw Wrong(section, nameof(PrimarySilo), "address:port of one of the silos, with its Cluster:SiloPort");
    }

    private static IPAddress? Resolve(string text)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            return address;
        }

        try
        {
            var addresses = Dns.GetHostAddresses(text);
            return Array.Find(addresses, found => found.AddressFamily == AddressFamily.InterNetwork) ?? addresses.FirstOrDefault();
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            return null;
        }
    }

    private static LogConfigurationException Wrong(IConfigurationSection section, string setting, string allowed) =>
        new($"Cluster:{setting} is '{section[setting]}': it must be {allowed}.");
}
