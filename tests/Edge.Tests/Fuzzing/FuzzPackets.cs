using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Makes valid packets of all types that a client sends.</summary>
internal sealed class FuzzPackets(Random random, bool isV5)
{
    private static readonly string[] Topics = ["a", "a/b", "f/é", "/", "$SYS/broker/uptime", "$other", "long/" + new string('x', 150)];
    private static readonly string[] Filters = ["a", "#", "+/b", "a/+/#", "$SYS/#", "$share/g/a/#", "/", "f/é"];

    /// <summary>Whether CONNECT named an authentication method.</summary>
    public bool HasMethod { get; private set; }

    public byte[] Connect()
    {
        HasMethod = isV5 && random.Next(5) == 0;
        List<byte> body = [.. Text("MQTT"), isV5 ? (byte)5 : (byte)4];
        var hasWill = random.Next(4) == 0;
        var (hasUser, hasPassword) = (random.Next(3) == 0, random.Next(3) == 0);
        hasPassword &= isV5 || hasUser;
        body.Add((byte)(2 | (hasWill ? 4 | (random.Next(3) << 3) | (random.Next(2) << 5) : 0) | (hasUser ? 0x80 : 0) | (hasPassword ? 0x40 : 0)));
        body.AddRange(U16(random.Next(2) * 60));
        byte[] method = !HasMethod ? [] : [0x15, .. Text(FuzzAuthenticator.MethodName), .. random.Next(2) == 0 ? [] : (byte[])[0x16, .. Text("data")]];
        body.AddRange(Properties([.. method, .. Choose([0x11, .. U32(random.Next(2) * 100)], [0x21, .. U16(1 + random.Next(100))], [0x22, .. U16(random.Next(20))], [0x19, 1], [0x17, 0], User())]));
        body.AddRange(Text($"{random.NextInt64():x16}"));
        if (hasWill)
        {
            body.AddRange(Properties(Choose([0x18, .. U32(random.Next(5))], [0x01, 1], [0x02, .. U32(9)], [0x03, .. Text("t")], [0x08, .. Text("r/t")], [0x09, .. Text("c")], User())));
            body.AddRange([.. Text("will/topic"), .. Text("bye")]);
        }

        body.AddRange([.. hasUser ? Text("user") : [], .. hasPassword ? Text("password") : []]);
        return Frame(0x10, body);
    }

    /// <summary>Any packet that may follow CONNECT, except those that end the connection.</summary>
    public byte[] Later() => random.Next(12) switch
    {
        < 3 when HasMethod => [.. Auth(0x19), .. random.Next(6) == 0 ? [] : Auth(0x18)],
        < 5 => Publish(),
        5 => Frame(0x82, [.. U16(Id()), .. Properties(Choose([0x0B, 7], User())), .. Filter(0), .. random.Next(2) == 0 ? Filter(0) : []]),
        6 => Frame(0xA2, [.. U16(Id()), .. Properties(Choose(User())), .. Text(Pick(Filters))]),
        7 => Acknowledge(0x40, 0x10),
        8 => Acknowledge(0x50, 0x80),
        9 => Acknowledge(0x62, 0x92),
        10 => Acknowledge(0x70, 0x92),
        _ => [0xC0, 0],
    };

    /// <summary>A packet that ends the connection.</summary>
    public byte[] Last() => random.Next(4) switch
    {
        0 => Connect(),
        1 => Frame(0xF0, [0x18, .. Properties([.. (byte[])[0x15], .. Text("m")])]),
        2 when isV5 => Frame(0xE0, [4, .. Properties(Choose([0x1F, .. Text("why")], User()))]),
        _ => [0xE0, 0],
    };

    /// <summary>AUTH with the method of CONNECT.</summary>
    public byte[] Auth(byte code) => Frame(0xF0, [code, .. Properties([.. (byte[])[0x15], .. Text(FuzzAuthenticator.MethodName), .. Choose([0x16, .. Text("data")], [0x1F, .. Text("why")], User())])]);

    private static byte[] Text(string text) => [.. U16(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] User() => [0x26, .. Text("k"), .. Text("välue")];

    private static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] U32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Frame(int first, List<byte> body) => [(byte)first, .. VariableInteger(body.Count), .. body];

    private static byte[] VariableInteger(int value) => value < 0x80 ? [(byte)value] : [(byte)(value | 0x80), .. VariableInteger(value >> 7)];

    private byte[] Publish()
    {
        var qos = random.Next(3);
        var alias = isV5 && random.Next(4) == 0 ? 1 + random.Next(3) : 0;
        byte[] properties = Choose([0x01, 0], [0x02, .. U32(5)], [0x03, .. Text("text/plain")], [0x08, .. Text("reply")], [0x09, .. Text("c")], User());
        List<byte> body =
        [
            .. Text(alias > 0 && random.Next(2) == 0 ? "" : Pick(Topics)), .. qos > 0 ? U16(Id()) : [], .. Properties(alias > 0 ? [.. properties, 0x23, .. U16(alias)] : properties),
            .. new byte[random.Next(8) == 0 ? random.Next(3000) : random.Next(8)],
        ];
        return Frame(0x30 | (qos << 1) | (random.Next(6) == 0 ? 1 : 0) | (qos > 0 && random.Next(8) == 0 ? 8 : 0), body);
    }

    private byte[] Acknowledge(int first, byte code) => Frame(first, isV5 ? random.Next(3) switch
    {
        0 => [.. U16(Id())],
        1 => [.. U16(Id()), code],
        _ => [.. U16(Id()), code, .. Properties(Choose([0x1F, .. Text("why")], User()))],
    } : [.. U16(Id())]);

    private byte[] Filter(int options)
    {
        var filter = Pick(Filters);
        return [.. Text(filter), (byte)(options | random.Next(3) | (isV5 ? (random.Next(3) << 4) | (random.Next(2) << 3) | (filter.StartsWith("$share", StringComparison.Ordinal) ? 0 : random.Next(2) << 2) : 0))];
    }

    private int Id() => 1 + random.Next(4);

    private string Pick(string[] texts) => texts[random.Next(texts.Length)];

    /// <summary>Some of the properties.</summary>
    private byte[] Choose(params byte[][] properties) => random.Next(2) == 0 ? [] : [.. properties.Where(_ => random.Next(3) == 0).SelectMany(static each => each)];

    private byte[] Properties(byte[] properties) => isV5 ? [.. VariableInteger(properties.Length), .. properties] : [];
}
