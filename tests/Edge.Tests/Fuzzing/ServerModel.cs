using System.Text;
using System.Text.Unicode;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>
/// What a server with the settings of <see cref="FuzzHost"/> has to answer to a stream of bytes, by the specification: written a second time, on its own, to hold the server against.
/// </summary>
internal sealed class ServerModel
{
    private static readonly byte[] Malformed = [0x81];
    private static readonly byte[] Wrong = [0x81, 0x82];

    private readonly HashSet<int> _received = [];
    private readonly HashSet<string> _filters = [];
    private readonly Dictionary<int, string> _aliases = [];
    private bool _isConnected;
    private bool _isAuthenticating;
    private bool _isReauthenticating;
    private bool _hasMethod;
    private bool _hasExpiry;

    private readonly string? _method;

    /// <param name="method">The authentication method that the server has; null when it has none.</param>
    private ServerModel(string? method) => _method = method;

    /// <summary>The answers, as <see cref="AnswerReader"/> writes them.</summary>
    public List<string> Answers { get; } = [];

    /// <summary>4 or 5; 0 while it is not known.</summary>
    public int Version { get; private set; }

    /// <summary>The reason codes that the connection may end with; null when the client ends it. An empty list: it ends in silence.</summary>
    public byte[]? Failure { get; private set; }

    /// <summary>Whether the client sends DISCONNECT.</summary>
    public bool IsDisconnected { get; private set; }

    /// <summary>Whether CONNECT was accepted before the failure.</summary>
    public bool IsConnected => _isConnected;

    /// <summary>The client takes so small packets that answers may be missing.</summary>
    public bool HasSmallPackets { get; private set; }

    /// <summary>The filters that the client has asked for.</summary>
    public HashSet<string> Asked { get; } = [];

    public static ServerModel Run(ReadOnlySpan<byte> stream, string? method)
    {
        ServerModel model = new(method);
        try
        {
            while (model.TryTake(ref stream))
            {
            }
        }
        catch (ModelException exception)
        {
            // MQTT 3.1.1 is told only by CONNACK, and only some reasons.
            model.Failure = model.Version == 5 ? exception.Codes
                : model.Version == 4 && !model._isConnected ? [.. exception.Codes.Select(static code => code switch { 0x84 => (byte)1, 0x85 => (byte)2, 0x87 => (byte)5, _ => (byte)0 }).Where(static code => code > 0)]
                : [];
        }

        return model;
    }

    private bool TryTake(ref ReadOnlySpan<byte> stream)
    {
        if (stream.IsEmpty || IsDisconnected)
        {
            return false;
        }

        var (type, flags) = (stream[0] >> 4, stream[0] & 15);
        Require(type > 0 && (type == 3 ? (flags & 6) != 6 && (flags & 14) != 8 : flags == (type is 6 or 8 or 10 ? 2 : 0)), Malformed);
        var length = 0;
        var header = 1;
        for (var isLast = false; !isLast; header++)
        {
            Require(header < 5, Malformed);
            if (header == stream.Length)
            {
                return false;
            }

            var next = stream[header];
            length |= (next & 0x7F) << (7 * (header - 1));
            isLast = next < 0x80;
            Require(!isLast || next > 0 || header == 1, Malformed);
        }

        Require(header + length <= FuzzHost.MaximumPacketSize, [0x95]);
        Require(_isConnected || (_isAuthenticating ? type is 14 or 15 : type == 1), Wrong);
        if (stream.Length < header + length)
        {
            return false;
        }

        Take(type, flags, new Reader(stream.Slice(header, length).ToArray()));
        stream = stream[(header + length)..];
        return true;
    }

    private void Take(int type, int flags, Reader reader)
    {
        switch (type)
        {
            case 1:
                Require(!_isConnected, [0x82]);
                Connect(reader);
                break;
            case 3:
                Publish(flags, reader);
                break;
            case 4 or 5:
                Acknowledge(reader, 0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99);
                break;
            case 6:
                var id = Acknowledge(reader, 0x00, 0x92);
                Answers.Add($"PUBCOMP {id} {(_received.Remove(id) || Version == 4 ? 0 : 0x92):X2}");
                break;
            case 7:
                Acknowledge(reader, 0x00, 0x92);
                break;
            case 8:
                Subscribe(reader);
                break;
            case 10:
                Unsubscribe(reader);
                break;
            case 12:
                reader.End();
                Answers.Add("PINGRESP");
                break;
            case 14:
                Disconnect(reader);
                break;
            case 15 when _hasMethod:
                Authenticate(reader);
                break;
            default:
                throw new ModelException(type == 15 && Version == 4 ? Malformed : [0x82]);
        }
    }

    private void Connect(Reader reader)
    {
        var name = Encoding.Latin1.GetString(reader.Binary());
        var level = reader.Byte();
        Require(name is "MQTT" or "MQIsdp", Wrong);
        Version = name == "MQTT" && (level & 0x7F) >= 5 ? 5 : 4;
        Require(name == "MQTT" && level == Version, [0x84]);
        var flags = reader.Byte();
        Require((flags & 1) == 0 && (flags & 0x18) != 0x18 && ((flags & 4) != 0 || (flags & 0x38) == 0) && (Version == 5 || (flags & 0xC0) != 0x40), Malformed);
        reader.Number(2);
        string? method = null;
        var hasData = false;
        if (Version == 5)
        {
            Properties(reader, [0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27], (property, value) =>
            {
                method = property == 0x15 ? (string)value : method;
                hasData |= property == 0x16;
                _hasExpiry |= property == 0x11 && (uint)value > 0;
                Require(property is not (0x21 or 0x27) || (uint)value > 0, Wrong);
                HasSmallPackets |= property == 0x27 && (uint)value < 1000;
            });
        }

        Require(!hasData || method is not null, Wrong);
        var clientId = reader.Text();
        var willTopic = "";
        if ((flags & 4) != 0)
        {
            if (Version == 5)
            {
                Properties(reader, [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26], static (property, value) => Require(property != 8 || IsName((string)value), Wrong));
            }

            willTopic = reader.Text();
            Require(IsName(willTopic), Wrong);
            reader.Binary();
        }

        if ((flags & 0x80) != 0)
        {
            reader.Text();
        }

        if ((flags & 0x40) != 0)
        {
            reader.Binary();
        }

        reader.End();
        Require((clientId.Length > 0 || Version == 5 || (flags & 2) != 0) && !clientId.StartsWith("$share/", StringComparison.Ordinal), [0x85]);
        Require(!IsSystem(willTopic), [0x87]);
        Require(method is null || method == _method, HasSmallPackets ? [0x8C, 0x97] : [0x8C]);
        _hasMethod = _isAuthenticating = method is not null;
        if (_hasMethod)
        {
            Answers.Add("AUTH 18");
            return;
        }

        _isConnected = true;
        Answers.Add("CONNACK 00");
    }

    private void Authenticate(Reader reader)
    {
        Require(!reader.IsAtEnd, Wrong);
        var code = reader.Byte();
        string? method = null;
        Require(!reader.IsAtEnd && code is (0x18 or 0x19), Wrong);
        Properties(reader, [0x15, 0x16, 0x1F, 0x26], (property, value) => method = property == 0x15 ? (string)value : method);
        reader.End();
        Require(method == _method && code == (_isAuthenticating || _isReauthenticating ? 0x18 : 0x19), Wrong);
        Answers.Add(_isAuthenticating ? "CONNACK 00" : _isReauthenticating ? "AUTH 00" : "AUTH 18");
        _isReauthenticating = !_isAuthenticating && !_isReauthenticating;
        (_isConnected, _isAuthenticating) = (true, false);
    }

    private void Publish(int flags, Reader reader)
    {
        var qos = (flags >> 1) & 3;
        var rawTopic = reader.Binary();
        var id = qos > 0 ? reader.Id() : 0;
        int? alias = null;
        if (Version == 5)
        {
            Properties(reader, [0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26], (property, value) =>
            {
                Require(property != 0x0B && (property != 8 || IsName((string)value)), Wrong);
                alias = property == 0x23 ? (int)(uint)value : alias;
            });
        }

        Require(alias is null or (> 0 and <= 64), [0x94]);
        if (rawTopic.Length == 0)
        {
            Require(alias is { } used && _aliases.ContainsKey(used), Wrong);
        }

        var topic = rawTopic.Length > 0 ? Reader.Decode(rawTopic) : _aliases[alias!.Value];
        Require(IsName(topic), Wrong);
        if (alias is { } given)
        {
            _aliases[given] = topic;
        }

        var code = IsSystem(topic) ? 0x87 : 0;
        if (qos == 2 && code == 0)
        {
            _received.Add(id);
        }

        if (qos > 0)
        {
            Answers.Add($"{(qos == 1 ? "PUBACK" : "PUBREC")} {id} {(Version == 5 ? code : 0):X2}");
        }
    }

    private int Acknowledge(Reader reader, params byte[] codes)
    {
        var id = reader.Id();
        if (Version == 5 && !reader.IsAtEnd)
        {
            Require(codes.Contains(reader.Byte()), Wrong);
            if (!reader.IsAtEnd)
            {
                Properties(reader, [0x1F, 0x26], static (_, _) => { });
            }
        }

        reader.End();
        return id;
    }

    private void Subscribe(Reader reader)
    {
        var id = reader.Id();
        if (Version == 5)
        {
            Properties(reader, [0x0B, 0x26], static (property, value) => Require(property != 0x0B || (uint)value > 0, Wrong));
        }

        StringBuilder codes = new($"SUBACK {id}");
        List<string> filters = [];
        Require(!reader.IsAtEnd, Wrong);
        do
        {
            var filter = reader.Text();
            var options = reader.Byte();
            Require((options & 3) != 3 && (options & (Version == 5 ? 0xC0 : 0xFC)) == 0 && (options & 0x30) != 0x30, Wrong);
            Require(IsAllowed(filter) && ((options & 4) == 0 || !filter.StartsWith("$share/", StringComparison.Ordinal)), Wrong);
            if (IsFilter(filter))
            {
                filters.Add(filter);
            }

            codes.Append(' ').Append($"{(IsFilter(filter) ? options & 3 : 0x80):X2}");
        }
        while (!reader.IsAtEnd);

        _filters.UnionWith(filters);
        Asked.UnionWith(filters);
        Answers.Add(codes.ToString());
    }

    private void Unsubscribe(Reader reader)
    {
        var id = reader.Id();
        if (Version == 5)
        {
            Properties(reader, [0x26], static (_, _) => { });
        }

        List<string> filters = [];
        Require(!reader.IsAtEnd, Wrong);
        do
        {
            filters.Add(reader.Text());
            Require(IsAllowed(filters[^1]), Wrong);
        }
        while (!reader.IsAtEnd);

        Answers.Add($"UNSUBACK {id}{string.Concat(filters.Select(filter => _filters.Remove(filter) ? " 00" : " 11").Where(_ => Version == 5))}");
    }

    private void Disconnect(Reader reader)
    {
        if (Version == 5 && !reader.IsAtEnd)
        {
            Require(reader.Byte() is 0 or 4 or (>= 0x80 and <= 0x83) or 0x90 or (>= 0x93 and <= 0x99), Wrong);
            if (!reader.IsAtEnd)
            {
                uint expiry = 0;
                Properties(reader, [0x11, 0x1F, 0x26], (property, value) => expiry = property == 0x11 ? (uint)value : expiry);
                reader.End();
                Require(expiry == 0 || _hasExpiry, [0x82]);
            }
        }

        reader.End();
        IsDisconnected = true;
    }

    private static bool IsSystem(string topic) => topic == "$SYS" || topic.StartsWith("$SYS/", StringComparison.Ordinal);

    private static bool IsName(string topic) => topic.Length > 0 && topic.IndexOfAny(['+', '#']) < 0;

    /// <summary>Before MQTT 5 a filter that begins as a shared one is as good as any other, and refused where it is none.</summary>
    private bool IsAllowed(string filter) => IsFilter(filter) || (Version != 5 && AreLevels(filter));

    private static bool IsFilter(string filter)
    {
        if (filter.StartsWith("$share/", StringComparison.Ordinal))
        {
            var parts = filter.Split('/', 3);
            if (parts.Length < 3 || !IsName(parts[1]))
            {
                return false;
            }

            filter = parts[2];
        }

        return AreLevels(filter);
    }

    private static bool AreLevels(string filter)
    {
        var levels = filter.Split('/');
        return filter.Length > 0 && levels.Index().All(level => level.Item == "+" || (level.Item == "#" && level.Index == levels.Length - 1) || level.Item.IndexOfAny(['+', '#']) < 0);
    }

    private static void Properties(Reader reader, byte[] allowed, Action<byte, object> take)
    {
        var length = reader.VariableInteger();
        Reader properties = new(reader.Take(length));
        HashSet<byte> seen = [];
        while (!properties.IsAtEnd)
        {
            var id = properties.Byte();
            Require(allowed.Contains(id) && (seen.Add(id) || id == 0x26), Wrong);
            object value = id switch
            {
                0x01 or 0x17 or 0x19 => properties.Number(1),
                0x21 or 0x22 or 0x23 => properties.Number(2),
                0x02 or 0x11 or 0x18 or 0x27 => properties.Number(4),
                0x0B => (uint)properties.VariableInteger(),
                0x09 or 0x16 => properties.Binary(),
                0x26 => properties.Text() + properties.Text(),
                _ => properties.Text(),
            };
            Require(id is not (0x01 or 0x17 or 0x19) || (uint)value < 2, Wrong);
            take(id, value);
        }
    }

    private static void Require(bool condition, byte[] codes)
    {
        if (!condition)
        {
            throw new ModelException(codes);
        }
    }

    private sealed class ModelException(byte[] codes) : Exception
    {
        public byte[] Codes => codes;
    }

    private sealed class Reader(byte[] bytes)
    {
        private int _position;

        public bool IsAtEnd => _position == bytes.Length;

        public static string Decode(byte[] text)
        {
            Require(Utf8.IsValid(text) && !text.Contains((byte)0), Malformed);
            return Encoding.UTF8.GetString(text);
        }

        public byte[] Take(int length)
        {
            // A field may be wrong in itself, and cut off too.
            Require(length <= bytes.Length - _position, Wrong);
            return bytes[_position..(_position += length)];
        }

        public byte Byte() => Take(1)[0];

        public uint Number(int length) => Take(length).Aggregate(0u, static (number, each) => (number << 8) | each);

        public byte[] Binary() => Take((int)Number(2));

        public string Text() => Decode(Binary());

        public int Id()
        {
            var id = (int)Number(2);
            Require(id > 0, Wrong);
            return id;
        }

        public int VariableInteger()
        {
            var value = 0;
            for (var shift = 0; ; shift += 7)
            {
                Require(shift < 28, Malformed);
                var next = Byte();
                value |= (next & 0x7F) << shift;
                if (next < 0x80)
                {
                    Require(next > 0 || shift == 0, Malformed);
                    return value;
                }
            }
        }

        public void End() => Require(IsAtEnd, Malformed);
    }
}
