using System.Buffers.Binary;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>A view of a received PUBLISH (MQTT 5, section 3.3).</summary>
internal readonly ref struct ReceivedPublish
{
    private ReceivedPublish(bool isDuplicate, int qualityOfService, ushort packetId, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        IsDuplicate = isDuplicate;
        QualityOfService = qualityOfService;
        PacketId = packetId;
        Topic = topic;
        Payload = payload;
    }

    /// <summary>The DUP flag: sent again.</summary>
    public bool IsDuplicate { get; }

    /// <summary>The RETAIN flag: sent because of a subscription.</summary>
    public bool IsRetained { get; private init; }

    public int QualityOfService { get; }

    public ushort PacketId { get; }

    public ReadOnlySpan<byte> Topic { get; }

    public ReadOnlySpan<byte> Payload { get; }

    /// <exception cref="LoadException">The packet is malformed.</exception>
    public static ReceivedPublish Read(byte first, ReadOnlySpan<byte> body, int protocol)
    {
        int qualityOfService = (first >> 1) & 3;
        if (body.Length < 2)
        {
            throw Malformed();
        }

        int position = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
        if (position + (qualityOfService > 0 ? 2 : 0) > body.Length || qualityOfService == 3)
        {
            throw Malformed();
        }

        var topic = body[2..position];
        ushort packetId = 0;
        if (qualityOfService > 0)
        {
            packetId = BinaryPrimitives.ReadUInt16BigEndian(body[position..]);
            position += 2;
        }

        if (protocol >= 5)
        {
            if (!PacketReader.TryReadVariable(body[position..], out int properties, out int bytes) || position + bytes + properties > body.Length)
            {
                throw Malformed();
            }

            position += bytes + properties;
        }

        return new ReceivedPublish((first & 8) != 0, qualityOfService, packetId, topic, body[position..]) { IsRetained = (first & 1) != 0 };
    }

    private static LoadException Malformed() => new("the server sent a malformed PUBLISH");
}
