namespace OrleansMqtt.Edge.Tests;

/// <summary>Bytes in, exact answer out. An empty answer is a connection that is closed without one.</summary>
public sealed class MalformedPacketTests
{
    private const string Name5 = "00044D51545405";
    private const string Name4 = "00044D51545404";

    /// <summary>What a new connection may not begin with.</summary>
    public static TheoryData<string, string, string> FirstPackets => new()
    {
        { "a packet other than CONNECT", "C000", "" },
        { "packet type 0", "0000", "" },
        { "wrong flags", "11 0D" + Name5 + "02 0000 00 0000", "" },
        { "a remaining length of five bytes", "10 FFFFFFFF7F", "" },
        { "a remaining length that is longer than it has to be", "10 8D00", "" },
        { "a packet that is larger than allowed", "10 81808001", "" },
        { "another protocol name", "10 0C 00044D51545805 02 0000 00 0000", "" },
        { "MQTT 3.1", "10 0E 00064D514973647003 02 0000 0000", "20020001" },
        { "level 3", "10 0C 00044D51545403 02 0000 0000", "20020001" },
        { "level 6", "10 0D 00044D51545406 02 0000 00 0000", "84" },
        { "reserved flag, 5", "10 0D" + Name5 + "03 0000 00 0000", "81" },
        { "reserved flag, 3.1.1", "10 0C" + Name4 + "03 0000 0000", "" },
        { "will QoS without will", "10 0D" + Name5 + "0A 0000 00 0000", "81" },
        { "will QoS 3", "10 14" + Name5 + "1E 0000 00 0000 00 000161 000161", "81" },
        { "will retain without will", "10 0D" + Name5 + "22 0000 00 0000", "81" },
        { "password without user name, 3.1.1", "10 0F" + Name4 + "42 0000 0000 000161", "" },
        { "trailing bytes", "10 0E" + Name5 + "02 0000 00 0000 FF", "81" },
        { "a client identifier that overruns", "10 0D" + Name5 + "02 0000 00 0005", "81" },
        { "a client identifier with U+0000", "10 0E" + Name5 + "02 0000 00 000100", "81" },
        { "a client identifier with a surrogate", "10 10" + Name5 + "02 0000 00 0003EDA080", "81" },
        { "a client identifier that is no UTF-8", "10 0E" + Name5 + "02 0000 00 0001FF", "81" },
        { "a property of another packet", "10 0F" + Name5 + "02 0000 02 0101 0000", "81" },
        { "an unknown property", "10 0F" + Name5 + "02 0000 02 7F01 0000", "81" },
        { "properties that overrun", "10 0D" + Name5 + "02 0000 09 0000", "81" },
        { "a property twice", "10 13" + Name5 + "02 0000 06 210001 210001 0000", "82" },
        { "Receive Maximum 0", "10 10" + Name5 + "02 0000 03 210000 0000", "82" },
        { "Maximum Packet Size 0", "10 12" + Name5 + "02 0000 05 2700000000 0000", "82" },
        { "Request Problem Information 2", "10 0F" + Name5 + "02 0000 02 1702 0000", "82" },
        { "Request Response Information 2", "10 0F" + Name5 + "02 0000 02 1902 0000", "82" },
        { "authentication data without a method", "10 11" + Name5 + "02 0000 04 16000161 0000", "82" },
        { "extended authentication", "10 11" + Name5 + "02 0000 04 15000161 0000", "8C" },
        { "a will without a topic", "10 13" + Name5 + "06 0000 00 0000 00 0000 000161", "81" },
        { "a will whose payload overruns", "10 14" + Name5 + "06 0000 00 0000 00 000161 000961", "81" },
        { "a will with two delays", "10 1E" + Name5 + "06 0000 00 0000 0A 1800000001 1800000001 000161 000161", "82" },
        { "a will with a response topic with a wildcard", "10 18" + Name5 + "06 0000 00 0000 04 08000123 000161 000161", "81" },
        { "a will with a property of another packet", "10 17" + Name5 + "06 0000 00 0000 03 230001 000161 000161", "81" },
        { "a will with a wildcard", "10 14" + Name5 + "06 0000 00 0000 00 000123 000161", "81" },
        { "no client identifier and a stored session, 3.1.1", "10 0C" + Name4 + "00 0000 0000", "20020002" },
    };

    /// <summary>What a connected client may not send: the reason that MQTT 5 is told; MQTT 3.1.1 is closed in silence. The packets have an empty property field in 5 only where PP stands.</summary>
    public static TheoryData<string, string, string> LaterPackets => new()
    {
        { "a second CONNECT", "10 0D" + Name5 + "02 0000 00 0000", "82" },
        { "packet type 0", "0000", "81" },
        { "CONNACK", "20 02 0000", "82" },
        { "SUBACK", "90 03 0001 00", "82" },
        { "PINGRESP", "D000", "82" },
        { "PUBREC with packet identifier 0", "50 02 0000", "82" },
        { "PUBREC of one byte", "50 01 00", "81" },
        { "PUBREC with flags", "52 02 0001", "81" },
        { "PUBREL without its flag", "60 02 0001", "81" },
        { "PUBREL with packet identifier 0", "62 02 0000", "82" },
        { "PUBREL of no bytes", "62 00", "81" },
        { "PUBCOMP with packet identifier 0", "70 02 0000", "82" },
        { "PUBCOMP of one byte", "70 01 00", "81" },
        { "PUBCOMP with flags", "72 02 0001", "81" },
        { "PUBLISH with QoS 2 and packet identifier 0", "34 06 000161 0000 PP", "82" },
        { "AUTH", "F0 00", "AUTH" },
        { "PINGREQ with a body", "C0 01 00", "81" },
        { "PINGREQ with flags", "C1 00", "81" },
        { "DISCONNECT with flags", "E1 00", "81" },
        { "PUBLISH with QoS 3", "36 06 000161 0001 PP", "81" },
        { "PUBLISH with QoS 0 and DUP", "38 04 000161 PP", "81" },
        { "PUBLISH with packet identifier 0", "32 06 000161 0000 PP", "82" },
        { "PUBLISH with a wildcard", "30 06 0003612F23 PP", "81" },
        { "PUBLISH with a plus", "30 06 0003612F2B PP", "81" },
        { "PUBLISH without a topic", "30 03 0000 PP", "82" },
        { "PUBLISH with a topic that overruns", "30 04 0009 61 PP", "81" },
        { "PUBLISH with a topic with U+0000", "30 04 000100 PP", "81" },
        { "PUBLISH with a topic that is no UTF-8", "30 04 0001FF PP", "81" },
        { "PUBLISH without room for its packet identifier", "32 04 000161 00", "81" },
        { "PUBACK with packet identifier 0", "40 02 0000", "82" },
        { "PUBACK of one byte", "40 01 00", "81" },
        { "SUBSCRIBE with wrong flags", "80 07 0001 PP 000161 00", "81" },
        { "SUBSCRIBE with packet identifier 0", "82 07 0000 PP 000161 00", "82" },
        { "SUBSCRIBE without filters", "82 03 0001 PP", "82" },
        { "SUBSCRIBE with an empty filter", "82 06 0001 PP 0000 00", "81" },
        { "SUBSCRIBE with # before the end", "82 09 0001 PP 0003232F61 00", "81" },
        { "SUBSCRIBE with # in a level", "82 08 0001 PP 00026123 00", "81" },
        { "SUBSCRIBE with + in a level", "82 08 0001 PP 0002612B 00", "81" },
        { "SUBSCRIBE with reserved bits", "82 07 0001 PP 000161 C0", "81" },
        { "SUBSCRIBE without options", "82 06 0001 PP 000161", "81" },
        { "UNSUBSCRIBE without filters", "A2 03 0001 PP", "82" },
        { "UNSUBSCRIBE with a bad filter", "A2 07 0001 PP 00022323", "81" },
        { "UNSUBSCRIBE with wrong flags", "A0 06 0001 PP 000161", "81" },
        { "a packet that is larger than allowed", "30 81808001", "95" },
        { "a remaining length of five bytes", "30 FFFFFFFF01", "81" },
    };

    /// <summary>What only MQTT 5 knows.</summary>
    public static TheoryData<string, string, string> LaterPackets5 => new()
    {
        { "SUBSCRIBE with a shared filter without a name", "82 10 0001 00 000A" + "2473686172652F2F6161" + "00", "81" },
        { "SUBSCRIBE with a shared filter without a filter", "82 0F 0001 00 0009" + "2473686172652F6162" + "00", "81" },
        { "topic alias 0", "30 07 000161 03 230000", "94" },
        { "a topic alias beyond the maximum", "30 07 000161 03 230041", "94" },
        { "an unknown topic alias without a topic", "30 06 0000 03 230001", "82" },
        { "two topic aliases", "30 0A 000161 06 230001 230001", "82" },
        { "a topic alias and a topic with a wildcard", "30 07 000123 03 230001", "81" },
        { "a subscription identifier in PUBLISH", "30 06 000161 02 0B01", "82" },
        { "a subscription identifier of five bytes in PUBLISH", "30 0A 000161 06 0B8080808001", "81" },
        { "Payload Format Indicator 2", "30 06 000161 02 0102", "82" },
        { "Message Expiry Interval twice", "30 0E 000161 0A 0200000001 0200000001", "82" },
        { "a response topic with a wildcard", "30 08 000161 04 08000123", "81" },
        { "a content type that is no UTF-8", "30 08 000161 04 030001FF", "81" },
        { "a property of another packet in PUBLISH", "30 07 000161 03 210001", "81" },
        { "a property length that overruns", "30 04 000161 05", "81" },
        { "a property length that is longer than it has to be", "30 05 000161 8000", "81" },
        { "a property that overruns the properties", "30 07 000161 02 0300 00", "81" },
        { "an unknown reason code in PUBACK", "40 03 0001 42", "81" },
        { "a foreign property in PUBACK", "40 06 0001 00 02 0101", "81" },
        { "bytes after PUBACK", "40 05 0001 00 00 00", "81" },
        { "a reason code of PUBCOMP in PUBREC", "50 03 0001 92", "81" },
        { "a reason code of PUBREC in PUBREL", "62 03 0001 10", "81" },
        { "a reason code of PUBREC in PUBCOMP", "70 03 0001 80", "81" },
        { "a foreign property in PUBREL", "62 06 0001 00 02 0101", "81" },
        { "bytes after PUBCOMP", "70 05 0001 00 00 00", "81" },
        { "subscription identifier 0", "82 09 0001 02 0B00 000161 00", "82" },
        { "two subscription identifiers", "82 0B 0001 04 0B01 0B02 000161 00", "82" },
        { "a subscription identifier of five bytes", "82 0D 0001 06 0B8080808001 000161 00", "81" },
        { "QoS 3 in SUBSCRIBE", "82 07 0001 00 000161 03", "82" },
        { "Retain Handling 3", "82 07 0001 00 000161 30", "82" },
        { "No Local on a shared subscription", "82 0F 0001 00 00092473686172652F612F 04", "82" },
        { "an unknown reason code in DISCONNECT", "E0 01 42", "81" },
        { "a session expiry in DISCONNECT after none in CONNECT", "E0 07 00 05 1100000001", "82" },
        { "a server's property in DISCONNECT", "E0 06 00 04 1C000161", "81" },
    };

    [Theory]
    [MemberData(nameof(FirstPackets))]
    public async Task A_connection_that_begins_with(string what, string bytes, string answer)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync(bytes);
        var received = await client.ReceiveUntilClosedAsync();
        if (answer.Length == 2)
        {
            Assert.True(received.StartsWith("20", StringComparison.Ordinal) && received[4..8] == $"00{answer}", $"{what}: {received}");
        }
        else
        {
            Assert.Equal(answer, received);
        }

        Assert.All(host.Log.Lines, line => Assert.Null(line.Exception));
    }

    [Theory]
    [MemberData(nameof(LaterPackets))]
    public async Task A_connected_client_that_sends(string what, string bytes, string reason)
    {
        // In MQTT 5, AUTH is a packet that this client may not send; in MQTT 3.1.1 its type is reserved. The client sees the difference in nothing but the reason.
        await AnswersAsync(what, bytes.Replace("PP", "00", StringComparison.Ordinal), reason == "AUTH" ? "82" : reason, 5);
        await AnswersAsync(what, WithoutProperties(bytes), "", 4);
    }

    [Theory]
    [MemberData(nameof(LaterPackets5))]
    public async Task A_connected_client_of_MQTT_5_that_sends(string what, string bytes, string reason) => await AnswersAsync(what, bytes, reason, 5);

    /// <summary>The length shrinks with the property field.</summary>
    private static string WithoutProperties(string bytes)
    {
        var packed = bytes.Replace(" ", "", StringComparison.Ordinal);
        if (!packed.Contains("PP", StringComparison.Ordinal))
        {
            return packed;
        }

        var length = Convert.ToInt32(packed[2..4], 16) - 1;
        return $"{packed[..2]}{length:X2}{packed[4..].Replace("PP", "", StringComparison.Ordinal)}";
    }

    private static async Task AnswersAsync(string what, string bytes, string reason, int version)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync(version: version);
        using var other = await host.ConnectAsync("other", version);
        await client.SendAsync(bytes);
        var received = await client.ReceiveUntilClosedAsync();
        if (reason == "")
        {
            Assert.True(received == "", $"{what}: {received}");
        }
        else
        {
            Assert.True(received.StartsWith("E0", StringComparison.Ordinal) && received[4..6] == reason, $"{what}: {received}");
        }

        await other.ExpectOnlyPingResponseAsync();
        Assert.Empty(host.Grains.Published);
        Assert.DoesNotContain(host.Grains.Calls, call => call.StartsWith("subscribe", StringComparison.Ordinal));
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c ByServer"));
        Assert.All(host.Log.Lines, line => Assert.Null(line.Exception));
    }
}
