namespace OrleansMqtt.Grains;

/// <summary>The grain storage of sessions.</summary>
internal static class SessionStorage
{
    /// <summary>The name of the storage provider.</summary>
    public const string Name = "sessions";
}
