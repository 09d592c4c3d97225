using System.Buffers;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>The fixed header of a packet (MQTT 5, 2.1).</summary>
internal readonly struct FrameHeader(byte firstByte, int headerLength, int bodyLength)
{
    /// <summary>The greatest fixed header: the first byte and four bytes of Remaining Length.</summary>
    private const int MaximumLength = 5;

    public PacketType Type => (PacketType)(firstByte >> 4);

    public byte Flags => (byte)(firstByte & 0x0F);

    /// <summary>The length of the fixed header.</summary>
    public int HeaderLength => headerLength;

    /// <summary>Remaining Length.</summary>
    public int BodyLength => bodyLength;

    /// <summary>The length of the packet.</summary>
    public int Length => headerLength + bodyLength;

    /// <summary>
    /// Reads and checks a fixed header as soon as its bytes are there, whether the rest of the packet is or not; false when there are too few.
    /// </summary>
    public static bool TryRead(in ReadOnlySequence<byte> buffer, int maximumPacketSize, ProtocolVersion version, out FrameHeader header)
    {
        var span = buffer.FirstSpan;
        if (span.Length >= MaximumLength || buffer.IsSingleSegment)
        {
            return TryRead(span, maximumPacketSize, version, out header);
        }

        Span<byte> copy = stackalloc byte[MaximumLength];
        var length = (int)Math.Min(MaximumLength, buffer.Length);
        buffer.Slice(0, length).CopyTo(copy);
        return TryRead(copy[..length], maximumPacketSize, version, out header);
    }

    private static bool TryRead(ReadOnlySpan<byte> data, int maximumPacketSize, ProtocolVersion version, out FrameHeader header)
    {
        header = default;
        if (data.IsEmpty)
        {
            return false;
        }

        var first = data[0];
        CheckFlags((PacketType)(first >> 4), first & 0x0F, version);
        var length = 0;
        for (var i = 1; i < MaximumLength; i++)
        {
            if (i == data.Length)
            {
                return false;
            }

            var next = data[i];
            length |= (next & 0x7F) << (7 * (i - 1));
            if (next < 0x80)
            {
                if (next == 0 && i > 1)
                {
                    MqttProtocolException.ThrowMalformed("The remaining length is longer than it has to be.");
                }

                if (1 + i + length > maximumPacketSize)
                {
                    throw new MqttProtocolException(ReasonCode.PacketTooLarge, $"A packet may have at most {maximumPacketSize} bytes.");
                }

                header = new FrameHeader(first, 1 + i, length);
                return true;
            }
        }

        MqttProtocolException.ThrowMalformed("The remaining length has more than four bytes.");
        return false;
    }

    /// <summary>The reserved flags must have their values ([MQTT-2.1.3-1]).</summary>
    private static void CheckFlags(PacketType type, int flags, ProtocolVersion version)
    {
        switch (type)
        {
            case PacketType.Reserved:
                MqttProtocolException.ThrowMalformed("Packet type 0 is reserved.");
                break;
            case PacketType.Publish:
                var qos = (flags >> 1) & 3;
                if (qos == 3)
                {
                    MqttProtocolException.ThrowMalformed("A PUBLISH has QoS 3.");
                }

                if (qos == 0 && (flags & 8) != 0)
                {
                    MqttProtocolException.ThrowMalformed("A PUBLISH with QoS 0 has the DUP flag.");
                }

                break;
            case PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe when version == ProtocolVersion.Mqtt31 && flags == 0x0A:
                // In MQTT 3.1 these may be sent again, with the DUP flag.
                break;
            default:
                if (flags != (type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0))
                {
                    MqttProtocolException.ThrowMalformed("The reserved flags of the fixed header are wrong.");
                }

                break;
        }
    }
}
