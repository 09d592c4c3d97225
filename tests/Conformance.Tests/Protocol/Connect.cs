using System.Text;

namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Connect(MqttVersion Version, string ClientId) : Packet
{
    public bool IsCleanStart { get; init; } = true;

    public ushort KeepAlive { get; init; }

    public PropertyList Properties { get; init; } = [];

    public Will? Will { get; init; }

    public string? UserName { get; init; }

    public string? Password { get; init; }

    /// <summary>Flags that are turned around, to make a malformed packet.</summary>
    public byte WrongFlags { get; init; }

    /// <summary>A connection that resumes or makes a session which outlives it.</summary>
    public static Connect Durable(MqttVersion version, string clientId, uint expiry = 3600) =>
        new(version, clientId) { IsCleanStart = false, Properties = version is V5 ? new() { { PropertyId.SessionExpiry, expiry } } : [] };

    /// <summary>The same with one property more.</summary>
    public Connect With(PropertyId id, object value) => this with { Properties = [.. Properties, KeyValuePair.Create(id, value)] };

    public byte[] Encode()
    {
        PacketWriter writer = new();
        writer.WriteText("MQTT");
        writer.WriteByte((byte)Version);
        var flags = (IsCleanStart ? 2 : 0) | (Will is null ? 0 : 4 | (Will.QoS << 3) | (Will.IsRetained ? 0x20 : 0)) | (UserName is null ? 0 : 0x80) | (Password is null ? 0 : 0x40);
        writer.WriteByte((byte)(flags ^ WrongFlags));
        writer.WriteUInt16(KeepAlive);
        if (Version is V5)
        {
            Properties.WriteTo(writer);
        }

        writer.WriteText(ClientId);
        if (Will is not null)
        {
            if (Version is V5)
            {
                Will.Properties.WriteTo(writer);
            }

            writer.WriteText(Will.Topic);
            writer.WriteBinary(Encoding.UTF8.GetBytes(Will.Payload));
        }

        if (UserName is not null)
        {
            writer.WriteText(UserName);
        }

        if (Password is not null)
        {
            writer.WriteText(Password);
        }

        return writer.ToPacket(0x10);
    }
}
