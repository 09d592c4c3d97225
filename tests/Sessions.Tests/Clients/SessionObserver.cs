using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.Sessions.Tests.Clients;

/// <summary>Hears of each packet of a client in its order: before it is sent, after it was received. Called under the client's lock.</summary>
internal abstract class SessionObserver
{
    public virtual void Connecting(ConnectOptions options)
    {
    }

    public virtual void Connected(bool sessionPresent)
    {
    }

    /// <summary>The connection is over. The reason is null when this client ended it.</summary>
    public virtual void Disconnected(string? reason)
    {
    }

    /// <summary>The client has ended its session with its DISCONNECT.</summary>
    public virtual void SessionEnded()
    {
    }

    /// <param name="options">With the Maximum QoS in its two lowest bits (MQTT 5, 3.8.3.1).</param>
    public virtual void Subscribing(ushort packetId, string filter, int options)
    {
    }

    public virtual void Subscribed(ushort packetId, byte granted)
    {
    }

    public virtual void Unsubscribing(ushort packetId, string filter)
    {
    }

    public virtual void Unsubscribed(ushort packetId)
    {
    }

    public virtual void Publishing(OutgoingPublish publish, bool isDuplicate)
    {
    }

    /// <summary>PUBREC has come.</summary>
    public virtual void Taken(OutgoingPublish publish)
    {
    }

    /// <summary>PUBACK or PUBCOMP has come.</summary>
    public virtual void Acknowledged(OutgoingPublish publish)
    {
    }

    /// <summary>The session was lost or given up: nobody sends this publish again.</summary>
    public virtual void Forgotten(OutgoingPublish publish)
    {
    }

    public virtual void Received(IncomingPublish publish)
    {
    }

    /// <summary>PUBREL has come.</summary>
    public virtual void Released(ushort packetId)
    {
    }

    public virtual void Answering(Answers kind, ushort packetId)
    {
    }

    /// <summary>The server has sent what it may not.</summary>
    public virtual void Violated(string what)
    {
    }
}
