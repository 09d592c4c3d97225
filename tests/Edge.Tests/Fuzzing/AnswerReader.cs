using System.Text;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Reads what the server sends, strictly.</summary>
internal sealed class AnswerReader(bool isWebSocket)
{
    private readonly List<byte> _raw = [];
    private readonly List<byte> _mqtt = [];
    private bool _isPastHandshake;

    /// <summary>The packets as text: type, packet identifier, reason codes.</summary>
    public List<string> Answers { get; } = [];

    /// <summary>The topics of the messages that came, with their QoS.</summary>
    public List<(string Topic, int QoS)> Deliveries { get; } = [];

    /// <summary>Whether what came is whole packets.</summary>
    public bool IsWhole => _mqtt.Count == 0;

    /// <summary>Whether what came ends within a message.</summary>
    public bool EndsInMessage => _mqtt.Count > 0 && _mqtt[0] is >= 0x30 and < 0x40;

    /// <param name="bytes">What came.</param>
    /// <param name="version">Of the connection.</param>
    public void Add(ReadOnlySpan<byte> bytes, int version)
    {
        if (isWebSocket)
        {
            _raw.AddRange(bytes);
            Unwrap();
        }
        else
        {
            _mqtt.AddRange(bytes);
        }

        while (TryRead(version))
        {
        }
    }

    private void Unwrap()
    {
        if (!_isPastHandshake)
        {
            var end = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_raw).IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return;
            }

            Answers.AddRange(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_raw).StartsWith("HTTP/1.1 101"u8) ? [] : ["HTTP"]);
            _raw.RemoveRange(0, end + 4);
            _isPastHandshake = true;
        }

        while (_raw.Count >= 2)
        {
            var (header, length) = _raw[1] switch { 126 when _raw.Count >= 4 => (4, (_raw[2] << 8) | _raw[3]), 126 => (4, int.MaxValue), var small => (2, small) };
            if (length > _raw.Count - header)
            {
                return;
            }

            Assert.InRange(_raw[1], 0, 126);
            if ((_raw[0] & 0x0F) is 0 or 2)
            {
                _mqtt.AddRange(_raw.GetRange(header, length));
            }

            _raw.RemoveRange(0, header + length);
        }
    }

    private bool TryRead(int version)
    {
        if (_mqtt.Count < 2)
        {
            return false;
        }

        var (length, header) = (0, 1);
        for (byte next = 0x80; next >= 0x80; header++)
        {
            if (_mqtt.Count == header)
            {
                return false;
            }

            next = _mqtt[header];
            Assert.True(header < 5 && (next > 0 || header == 1), "The remaining length is longer than it has to be.");
            length |= (next & 0x7F) << (7 * (header - 1));
        }

        if (_mqtt.Count < header + length)
        {
            return false;
        }

        var (first, body) = (_mqtt[0], _mqtt.GetRange(header, length));
        if (first is >= 0x30 and < 0x40)
        {
            Deliver(first, body, version);
        }
        else if (first == 0x62)
        {
            // Of a message, or of none: then MQTT 5 says so.
            Assert.True((version == 5 ? body.Count >= 2 : body.Count == 2) && (body.Count == 2 || body[2] is 0 or 0x92), "PUBREL is malformed.");
        }
        else
        {
            Answers.Add(Describe(first, body, version));
        }

        _mqtt.RemoveRange(0, header + length);
        return true;
    }

    private void Deliver(byte first, List<byte> body, int version)
    {
        var qos = (first >> 1) & 3;
        var topicEnd = 2 + ((body[0] << 8) | body[1]);
        Assert.True(qos < 3 && (qos > 0 || first < 0x38), $"A PUBLISH begins with {first:X2}.");
        Assert.True(qos == 0 || body[topicEnd] + body[topicEnd + 1] > 0, "A PUBLISH has packet identifier 0.");
        Assert.True(topicEnd + (qos > 0 ? 2 : 0) + (version == 5 ? 1 : 0) <= body.Count, "A PUBLISH is shorter than its fields.");
        Deliveries.Add((Encoding.UTF8.GetString([.. body[2..topicEnd]]), qos));
    }

    private static string Describe(byte first, List<byte> body, int version)
    {
        switch (first)
        {
            case 0x20:
                Assert.Equal(0, body[0]);
                return $"CONNACK {body[1]:X2}";
            case 0x40 or 0x50 or 0x70:
                Assert.True(version == 5 || body.Count == 2);
                return $"{first switch { 0x40 => "PUBACK", 0x50 => "PUBREC", _ => "PUBCOMP" }} {(body[0] << 8) | body[1]} {(body.Count > 2 ? body[2] : 0):X2}";
            case 0x90 or 0xB0:
                var codes = version == 5 ? body.Skip(3 + body[2]) : body.Skip(2);
                return $"{(first == 0x90 ? "SUBACK" : "UNSUBACK")} {(body[0] << 8) | body[1]}{string.Concat(codes.Select(static code => $" {code:X2}"))}";
            case 0xD0:
                Assert.Empty(body);
                return "PINGRESP";
            case 0xF0:
                Assert.Equal(5, version);
                return $"AUTH {body[0]:X2}";
            case 0xE0:
                Assert.Equal(5, version);
                return $"DISCONNECT {body[0]:X2}";
            default:
                throw new InvalidDataException($"A server does not send {first:X2} here.");
        }
    }
}
