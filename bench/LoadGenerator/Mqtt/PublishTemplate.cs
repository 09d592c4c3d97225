using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>A publisher's PUBLISH packet, encoded once; each message is a copy with its packet identifier and <see cref="MessageHeader"/> filled in.</summary>
internal sealed class PublishTemplate
{
    private readonly byte[] _packet;
    private readonly int _packetIdOffset;
    private readonly int _payloadOffset;

    public PublishTemplate(int protocol, string topic, int qualityOfService, int payloadLength, bool retain = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(payloadLength, MessageHeader.Length);
        byte[] topicBytes = Encoding.UTF8.GetBytes(topic);
        int bodyLength = 2 + topicBytes.Length + (qualityOfService > 0 ? 2 : 0) + (protocol >= 5 ? 1 : 0) + payloadLength;
        Span<byte> length = stackalloc byte[4];
        int lengthBytes = PacketWriter.WriteVariable(length, bodyLength);

        _packet = new byte[1 + lengthBytes + bodyLength];
        _packet[0] = (byte)(((int)PacketType.Publish << 4) | (qualityOfService << 1) | (retain ? 1 : 0));
        length[..lengthBytes].CopyTo(_packet.AsSpan(1));
        int position = 1 + lengthBytes;
        BinaryPrimitives.WriteUInt16BigEndian(_packet.AsSpan(position), (ushort)topicBytes.Length);
        topicBytes.CopyTo(_packet, position + 2);
        position += 2 + topicBytes.Length;
        if (qualityOfService > 0)
        {
            _packetIdOffset = position;
            position += 2;
        }

        position += protocol >= 5 ? 1 : 0;
        _payloadOffset = position;

        // Text-like bytes: neither empty nor random, so that a server which compresses shows a realistic gain.
        for (int i = position + MessageHeader.Length; i < _packet.Length; i++)
        {
            _packet[i] = (byte)('a' + ((i * 7) % 26));
        }
    }

    public int Length => _packet.Length;

    public void Write(Span<byte> target, ushort packetId, in MessageHeader header)
    {
        _packet.CopyTo(target);
        if (_packetIdOffset > 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target[_packetIdOffset..], packetId);
        }

        header.Write(target[_payloadOffset..]);
    }
}
