using System.Text;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>Makes the inputs, each from its seed and number alone.</summary>
internal static class FuzzGenerator
{
    private const string Handshake =
        "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

    private static readonly byte[] Interesting = [0, 1, 2, 3, 4, 5, 0x1F, 0x20, 0x23, 0x2B, 0x2F, 0x7E, 0x7F, 0x80, 0x81, 0xC0, 0xED, 0xFE, 0xFF];

    public static FuzzInput Make(int seed, int number)
    {
        Random random = new(unchecked((seed * 1_000_003) + number));
        FuzzPackets packets = new(random, isV5: random.Next(2) == 0);
        List<byte[]> all = [packets.Connect()];
        if (packets.HasMethod && random.Next(10) > 0)
        {
            all.Add(packets.Auth(0x18));
        }

        for (var count = random.Next(5); count > 0; count--)
        {
            all.Add(packets.Later());
        }

        if (random.Next(8) == 0)
        {
            all.Add(packets.Last());
        }

        if (random.Next(4) > 0)
        {
            for (var count = 1 + (random.Next(4) / 3 * random.Next(4)); count > 0; count--)
            {
                Mutate(random, all, packets);
            }
        }

        byte[] stream = [.. all.SelectMany(static packet => packet), 0xC0, 0];
        return random.Next(3) == 0 ? MakeWebSocket(random, stream) : new FuzzInput(Split(random, stream), IsWebSocket: false, stream);
    }

    /// <summary>One packet after the other, and what the server answers last.</summary>
    public static byte[] MakeValid(int seed, bool isV5, int count)
    {
        FuzzPackets packets = new(new Random(seed), isV5);
        var connect = packets.Connect();
        return [.. connect, .. packets.HasMethod ? packets.Auth(0x18) : [], .. Enumerable.Range(0, count).SelectMany(_ => packets.Later()), 0xC0, 0];
    }

    /// <summary>The handshake, and a frame for each part.</summary>
    public static FuzzInput MakeWebSocket(Random random, byte[] stream, params byte[][] parts)
    {
        var frames = parts.Select(part => Frame(random, part, 0x82));
        return new FuzzInput([Encoding.ASCII.GetBytes(Handshake), .. frames], IsWebSocket: true, stream);
    }

    private static FuzzInput MakeWebSocket(Random random, byte[] stream)
    {
        List<byte> bytes = [];
        var isContinued = false;
        foreach (var part in Split(random, stream))
        {
            var ends = random.Next(3) > 0;
            bytes.AddRange(Frame(random, part, (isContinued ? 0 : 2) | (ends ? 0x80 : 0)));
            isContinued = !ends;
            if (random.Next(8) == 0)
            {
                bytes.AddRange(Frame(random, [1, 2, 3], 0x89));
            }
        }

        byte[] handshake = Encoding.ASCII.GetBytes(Handshake);
        var isBroken = random.Next(4) == 0;
        if (isBroken)
        {
            var mutated = random.Next(3) == 0 ? handshake : [.. bytes];
            for (var count = 1 + random.Next(3); count > 0; count--)
            {
                mutated = MutateBytes(random, mutated);
            }

            (handshake, bytes) = mutated.AsSpan().StartsWith("GET"u8) ? (mutated, bytes) : (handshake, [.. mutated]);
        }

        return new FuzzInput([.. Split(random, handshake), .. Split(random, [.. bytes])], IsWebSocket: true, isBroken ? null : stream);
    }

    private static byte[] Frame(Random random, byte[] payload, int first)
    {
        var mask = new byte[4];
        random.NextBytes(mask);
        byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length];
        return [(byte)first, .. length, .. mask, .. payload.Select((each, i) => (byte)(each ^ mask[i & 3]))];
    }

    private static byte[][] Split(Random random, byte[] bytes)
    {
        List<byte[]> chunks = [];
        var most = random.Next(3) switch { 0 => int.MaxValue, 1 => 1 + random.Next(8), _ => 1 + random.Next(200) };
        for (var start = 0; start < bytes.Length;)
        {
            var length = most == int.MaxValue ? bytes.Length : Math.Min(bytes.Length - start, 1 + random.Next(most));
            chunks.Add(bytes[start..(start + length)]);
            start += length;
            // The rest in one: thousands of chunks of a large payload show nothing new.
            most = chunks.Count == 60 ? int.MaxValue : most;
            if (most == int.MaxValue && start < bytes.Length)
            {
                chunks.Add(bytes[start..]);
                break;
            }
        }

        return [.. chunks];
    }

    private static void Mutate(Random random, List<byte[]> packets, FuzzPackets more)
    {
        var i = random.Next(packets.Count);
        var other = random.Next(packets.Count);
        switch (random.Next(12))
        {
            case 0:
                (packets[i], packets[other]) = (packets[other], packets[i]);
                break;
            case 1:
                packets.Insert(i, more.Last());
                break;
            case 2:
                // The fields of another packet behind this one's header.
                packets[i] = [.. packets[i].Take(2), .. packets[other].Skip(2)];
                break;
            case 3:
                packets[i] = packets[i][..random.Next(packets[i].Length)];
                break;
            case 4 when packets[i].Length is >= 2 and < 120:
                // Cut or lengthened, with a header that says so.
                var body = MutateBytes(random, packets[i][2..]);
                packets[i] = [packets[i][0], (byte)(body.Length & 0x7F), .. body];
                break;
            case 5:
                packets[i] = [(byte)random.Next(256), .. packets[i].Skip(1)];
                break;
            default:
                packets[i] = MutateBytes(random, packets[i]);
                break;
        }
    }

    private static byte[] MutateBytes(Random random, byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        // Lengths and flags stand in front: those more often.
        var i = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Length, 24) : bytes.Length);
        List<byte> changed = [.. bytes];
        switch (random.Next(7))
        {
            case 0:
                changed[i] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                changed[i] = Interesting[random.Next(Interesting.Length)];
                break;
            case 2:
                changed.Insert(i, Interesting[random.Next(Interesting.Length)]);
                break;
            case 3:
                changed.RemoveRange(i, Math.Min(changed.Count - i, 1 + random.Next(4)));
                break;
            case 4:
                changed.InsertRange(i, bytes.Skip(i).Take(1 + random.Next(12)).ToArray());
                break;
            case 5:
                changed[i] = (byte)(changed[i] + (random.Next(2) == 0 ? 1 : -1));
                break;
            default:
                var noise = new byte[1 + random.Next(6)];
                random.NextBytes(noise);
                changed.InsertRange(i, noise);
                break;
        }

        return [.. changed];
    }
}
