namespace OrleansMqtt;

/// <summary>Grains by keys that clients choose: MQTT allows names of white space alone, which Orleans does not take as text.</summary>
public static class GrainKeys
{
    /// <summary>The grain of a key.</summary>
    public static TGrain GetGrainOf<TGrain>(this IGrainFactory grains, string key)
        where TGrain : IGrainWithStringKey
        => string.IsNullOrWhiteSpace(key) ? grains.GetGrain<TGrain>(GrainId.Create(grains.GetGrain<TGrain>("-").GetGrainId().Type, IdSpan.Create(key))) : grains.GetGrain<TGrain>(key);
}
