namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>What a subscriber does with its session.</summary>
internal enum SessionUse
{
    /// <summary>It ends with the connection.</summary>
    None,

    /// <summary>Begins one that lasts, and subscribes.</summary>
    Begin,

    /// <summary>Goes on with it: the subscription is there already.</summary>
    Resume,
}
