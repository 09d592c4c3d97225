using System.Text;

namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Auth(byte Code, PropertyList Properties) : Packet
{
    public const byte Continue = 0x18;
    public const byte Again = 0x19;

    public Auth(byte code, string method, string? data)
        : this(code, data is null ? new() { { PropertyId.AuthenticationMethod, method } } : PropertiesOf(method, data))
    {
    }

    public string? Method => Properties.Text(PropertyId.AuthenticationMethod);

    public string Data => Encoding.UTF8.GetString(Properties.Binary(PropertyId.AuthenticationData) ?? []);

    public static PropertyList PropertiesOf(string method, string data) =>
        new() { { PropertyId.AuthenticationMethod, method }, { PropertyId.AuthenticationData, Encoding.UTF8.GetBytes(data) } };

    public static Auth Read(PacketReader reader)
    {
        var code = reader.IsAtEnd ? (byte)0 : reader.ReadByte();
        Assert.Contains(code, new byte[] { 0, Continue });
        return new(code, reader.IsAtEnd ? [] : PropertyList.ReadFrom(reader));
    }

    public byte[] Encode()
    {
        PacketWriter writer = new();
        writer.WriteByte(Code);
        Properties.WriteTo(writer);
        return writer.ToPacket(0xF0);
    }
}
