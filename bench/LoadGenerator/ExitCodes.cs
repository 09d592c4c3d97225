namespace OrleansMqtt.LoadGenerator;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The run ended, but broke a promise of its QoS: lost, out of order, or (QoS 2) more than once; or connections were lost.</summary>
    public const int PromiseBroken = 1;

    /// <summary>The run could not be made: wrong options, no connection, refused.</summary>
    public const int Failed = 2;

    /// <summary>The server does not offer what the run needs (a QoS).</summary>
    public const int NotOffered = 3;
}
