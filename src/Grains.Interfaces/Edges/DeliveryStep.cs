namespace OrleansMqtt;

/// <summary>How far a delivery came, as its edge knows it.</summary>
public enum DeliveryStep : byte
{
    /// <summary>The PUBLISH was taken for the client.</summary>
    Sent,

    /// <summary>The client has answered PUBREC; the PUBREL did not come yet.</summary>
    Received,

    /// <summary>The PUBREL was taken for the client.</summary>
    Released,
}
